#include "scanq/scan.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "lib/call.h"
#include "lib/log.h"
#include "lib/text.h"
#include "scanq/edits.h"

namespace postern {

namespace {

constexpr SmtpReply kStageFailed() {
  return {.code = "451", .status = "4.7.1", .text = "the message could not be scanned; try again later"};
}

struct VerbRule {
  std::string_view verb;
  size_t arguments;
};
constexpr std::array kVerbs = {
    VerbRule{"stop", 0},       VerbRule{"drop", 1}, VerbRule{"reject", 2},     VerbRule{"defer", 1},
    VerbRule{"quarantine", 2}, VerbRule{"tag", 2},  VerbRule{"header-add", 2}, VerbRule{"skip", 1},
    VerbRule{"message", 0},    VerbRule{"log", 1},
};

bool is_tag(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

bool is_refusal_code(std::string_view code) {
  return code.size() == 3 && (code[0] == '4' || code[0] == '5') && parse_number(code).has_value();
}

// Everything of a verdict that can be wrong is found before anything of it is applied.
Result<void> check_line(const VerdictLine& line) {
  const auto rule =
      std::find_if(kVerbs.begin(), kVerbs.end(), [&](const VerbRule& r) { return r.verb == line.verb; });
  if (rule == kVerbs.end()) {
    if (line.may_ignore) return {};
    return temporary("unknown verb \"" + printable(line.verb, 40) + "\"");
  }
  if (line.arguments.size() != rule->arguments) {
    return temporary("\"" + line.verb + "\" takes " + std::to_string(rule->arguments) + " arguments");
  }
  if (line.verb == "tag" && !is_tag(line.arguments[0]))
    return temporary("a tag's name is made of A-Z, 0-9 and _");
  if (line.verb == "reject" && !is_refusal_code(line.arguments[0]))
    return temporary("reject takes a reply code 4yz or 5yz");
  if (line.verb == "header-add") return check_header(line.arguments[0], line.arguments[1]);
  return {};
}

// Enhanced status and text of "5.7.1 text"; the status is taken from the code where the text begins with
// none.
SmtpReply refusal(const std::string& code, std::string_view text) {
  return queue_reply(
      {.exit_code = 82, .reason = (code[0] == '5' ? "D" : "Z") + code + " " + std::string(text)});
}

void apply_line(Part& part, Decision& decision, Effects& effects, const Stage& stage,
                const VerdictLine& line) {
  const std::vector<std::string>& arguments = line.arguments;
  const auto decide = [&](Fate fate) {
    decision.fate = fate;
    decision.stage = stage.name;
    effects.stop = true;
  };
  if (line.verb == "stop") {
    effects.stop = true;
  } else if (line.verb == "drop") {
    decision.reason = arguments[0];
    decide(Fate::drop);
  } else if (line.verb == "reject") {
    decision.reply = refusal(arguments[0], arguments[1]);
    decide(Fate::refuse);
  } else if (line.verb == "defer") {
    decision.reply = refusal("451", arguments[0]);
    decide(Fate::refuse);
  } else if (line.verb == "quarantine") {
    decision.hold = Hold{arguments[0], arguments[1]};
    decision.stage = stage.name;
  } else if (line.verb == "tag") {
    part.environment.set("POSTERN_TAG_" + arguments[0], arguments[1]);
  } else if (line.verb == "skip") {
    effects.skips.push_back(arguments[0]);
  } else if (line.verb == "log") {
    log_info("MID " + std::to_string(part.mid) + " " + stage.name + ": " + printable(arguments[0]));
  }
}

// The message as the verdict leaves it: a rewritten one if it says so, with the new header fields in front.
Result<Fd> edited_message(const Part& part, const std::vector<VerdictLine>& lines, Fd output) {
  std::string fields;
  bool rewritten = false;
  for (const VerdictLine& line : lines) {
    if (line.verb == "message") rewritten = true;
    if (line.verb == "header-add") fields = header_field(line.arguments[0], line.arguments[1]) + fields;
  }
  if (!rewritten && fields.empty()) return Fd{};
  if (rewritten) {
    Result<size_t> size = file_size(output.get(), "read the rewritten message");
    if (!size) return size.failure();
    if (*size == 0) return temporary("it says \"message\" and wrote none");
    if (Result<void> sealed = seal(output.get()); !sealed) return sealed.failure();
  }
  const int source = rewritten ? output.get() : part.message.get();
  if (fields.empty()) return output;
  return with_fields_in_front(source, fields);
}

struct Said {
  std::vector<VerdictLine> lines;
  Fd output;
};

Result<Said> ask_stage(const Part& part, const Stage& stage, int64_t deadline) {
  Result<Fd> message = reopen_for_reading(part.message.get());
  if (!message) return message.failure();
  Result<Fd> envelope_file = memory_file_with("envelope", serialise_envelope(part.envelope));
  if (!envelope_file) return envelope_file.failure();
  if (Result<void> sealed = seal(envelope_file->get()); !sealed) return sealed.failure();
  Result<Fd> envelope = reopen_for_reading(envelope_file->get());
  if (!envelope) return envelope.failure();
  Result<Fd> output = memory_file("output");
  if (!output) return output.failure();
  Request request{.arguments = {},
                  .environment = joint_variables(part.environment),
                  .fds = {{message->get(), 0}, {envelope->get(), 3}, {output->get(), 4}}};
  request.environment.unset("POSTERN_EXTRAS");  // its descriptor is not passed here
  Result<Reply> reply = call_program(
      stage.program, request, std::min(deadline, now_milliseconds() + int64_t{stage.timeout_seconds} * 1000));
  if (!reply) return reply.failure();
  if (reply->exit_code == 111) return temporary("it deferred");
  if (reply->exit_code != 0) return temporary("it ended with code " + std::to_string(reply->exit_code));
  Result<std::vector<VerdictLine>> lines = parse_verdict(reply->output);
  if (!lines) return lines.failure();
  return Said{std::move(*lines), std::move(*output)};
}

Result<Effects> run_stage(Part& part, Decision& decision, const Stage& stage, int64_t deadline) {
  Result<Said> said = ask_stage(part, stage, deadline);
  if (!said) return said.failure();
  return apply_verdict(part, decision, stage, said->lines, std::move(said->output));
}

bool contains(const std::vector<std::string>& list, const std::string& name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

}  // namespace

Result<Effects> apply_verdict(Part& part, Decision& decision, const Stage& stage,
                              const std::vector<VerdictLine>& lines, Fd output) {
  for (const VerdictLine& line : lines) {
    if (Result<void> checked = check_line(line); !checked) return checked.failure();
  }
  Result<Fd> edited = edited_message(part, lines, std::move(output));
  if (!edited) return edited.failure();
  if (*edited) part.message = std::move(*edited);
  Effects effects;
  for (const VerdictLine& line : lines) apply_line(part, decision, effects, stage, line);
  return effects;
}

Decision scan(Part& part, const std::vector<Stage>& stages, int64_t deadline_milliseconds) {
  Decision decision;
  std::vector<std::string> skips;
  for (const std::string_view name : words(part.environment.get("POSTERN_SKIP").value_or("")))
    skips.emplace_back(name);
  const bool released = part.environment.get("POSTERN_RELEASED").has_value();
  for (const Stage& stage : stages) {
    if (!stage.runs_in(part.direction, released) || contains(skips, stage.name)) continue;
    Result<Effects> effects = run_stage(part, decision, stage, deadline_milliseconds);
    if (!effects) {
      log_warning("run stage " + stage.name + " on MID " + std::to_string(part.mid), effects.failure());
      if (stage.pass_on_failure) continue;
      decision.fate = Fate::refuse;
      decision.stage = stage.name;
      decision.reply = kStageFailed();
      return decision;
    }
    decision.stages_run.push_back(stage.name);
    skips.insert(skips.end(), effects->skips.begin(), effects->skips.end());
    if (effects->stop) break;
  }
  if (decision.fate == Fate::deliver && decision.hold) decision.fate = Fate::quarantine;
  return decision;
}

}  // namespace postern
