#include "scanq/scan.h"

#include <algorithm>

#include "lib/call.h"
#include "lib/log.h"
#include "lib/mid.h"
#include "lib/text.h"
#include "scanq/apply.h"

namespace postern {

namespace {

constexpr size_t kMostParts = 1000;
constexpr const char* kUnscannedQuarantine = "Unscanned";

SmtpReply stage_failed() {
  return {.code = "451", .status = "4.7.1", .text = "the message could not be scanned; try again later"};
}

bool is_deferred(const Part& part) {
  return part.decision.fate == Fate::refuse && !part.decision.reply.permanent();
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

// One word for the log.
std::string outcome_of(const Part& part, const Part& before, bool split) {
  switch (part.decision.fate) {
    case Fate::drop:
      return "drop";
    case Fate::bounce:
      return "bounce";
    case Fate::refuse:
      return part.decision.reply.permanent() ? "reject" : "defer";
    default:
      break;
  }
  if (part.decision.holds.size() != before.decision.holds.size()) return "quarantine";
  if (split) return "split";
  return part.stopped ? "stop" : "pass";
}

class Run {
 public:
  Run(const std::vector<Stage>& stages, int64_t deadline) : stages_(stages), deadline_(deadline) {}

  Scanned over(std::vector<Part> parts) {
    scanned_.parts = std::move(parts);
    // By number: parts that are split off come behind those that are there.
    for (size_t i = 0; i < scanned_.parts.size(); ++i) {
      run_stages(i);
      finish(scanned_.parts[i]);
      if (is_deferred(scanned_.parts[i])) break;
    }
    return std::move(scanned_);
  }

 private:
  void run_stages(size_t number) {
    for (;;) {
      Part& part = scanned_.parts[number];  // the list grows
      if (part.stopped || part.envelope.recipients.empty() || part.next_stage == stages_.size()) return;
      const Stage& stage = stages_[part.next_stage++];
      const bool released = part.environment.get("POSTERN_RELEASED").has_value();
      if (!stage.runs_in(part.direction, released)) continue;
      const std::vector<std::string_view> skips = words(part.environment.get("POSTERN_SKIP").value_or(""));
      if (std::find(skips.begin(), skips.end(), stage.name) != skips.end()) {
        part.stages_run.push_back(stage.name + ":skipped");
        continue;
      }
      if (Result<void> run = run_stage(number, stage); !run)
        fail(scanned_.parts[number], stage, run.failure());
    }
  }

  Result<void> run_stage(size_t number, const Stage& stage) {
    Result<Said> said = ask_stage(scanned_.parts[number], stage, deadline_);
    if (!said) return said.failure();
    if (said->lines.empty()) {
      scanned_.parts[number].stages_run.push_back(stage.name + ":pass");
      return {};
    }
    Result<Applied> applied =
        apply_verdict(scanned_.parts[number], stage.name, said->lines, std::move(said->output));
    if (!applied) return applied.failure();
    if (scanned_.parts.size() + applied->split_off.size() > kMostParts ||
        scanned_.copies.size() + applied->copies.size() > kMostParts)
      return temporary("the message would have more than 1000 parts or copies");
    LogLines log;
    for (const std::string& event : applied->events) log.info(event);
    const std::string outcome =
        outcome_of(applied->part, scanned_.parts[number], !applied->split_off.empty());
    scanned_.parts[number] = std::move(applied->part);
    scanned_.parts[number].stages_run.push_back(stage.name + ":" + outcome);
    for (Part& split : applied->split_off) {
      split.stages_run.push_back(stage.name + ":split");
      scanned_.parts.push_back(std::move(split));
    }
    for (Output& copy : applied->copies) scanned_.copies.push_back(std::move(copy));
    return {};
  }

  static void fail(Part& part, const Stage& stage, const Failure& failure) {
    log_warning("run stage " + stage.name + " on " + mid_text(part.mid), failure);
    part.stages_run.push_back(stage.name + ":failed");
    if (stage.on_failure == OnFailure::pass) return;
    part.stopped = true;
    part.decision.stage = stage.name;
    if (stage.on_failure == OnFailure::quarantine) {
      mark(part.decision.holds, kUnscannedQuarantine, stage.name + ": " + printable(failure.text));
      return;
    }
    part.decision.fate = Fate::refuse;
    part.decision.reply = stage_failed();
  }

  // What is marked is held; a message without recipients goes nowhere.
  static void finish(Part& part) {
    PartDecision& decision = part.decision;
    if (part.envelope.recipients.empty() && decision.fate != Fate::refuse) {
      if (decision.fate != Fate::drop) decision.reason = "no recipient is left";
      decision.fate = Fate::drop;
      if (decision.stage.empty()) decision.stage = "the stages";
    }
    if (decision.fate == Fate::deliver && !decision.holds.empty()) decision.fate = Fate::quarantine;
    std::string line = mid_text(part.mid) + " stages";
    for (const std::string& run : part.stages_run) line.append(" ").append(run);
    if (part.stages_run.empty()) line += " none";
    log_info(line);
  }

  const std::vector<Stage>& stages_;
  int64_t deadline_;
  Scanned scanned_;
};

}  // namespace

const Part* Scanned::deferred() const {
  const auto found = std::find_if(parts.begin(), parts.end(), is_deferred);
  return found == parts.end() ? nullptr : &*found;
}

bool Scanned::all_refused() const {
  bool any = false;
  for (const Part& part : parts) {
    if (part.decision.fate == Fate::refuse) {
      any = true;
    } else if (!part.envelope.recipients.empty()) {
      return false;
    }
  }
  return any;
}

Scanned scan(std::vector<Part> parts, const std::vector<Stage>& stages, int64_t deadline_milliseconds) {
  return Run(stages, deadline_milliseconds).over(std::move(parts));
}

}  // namespace postern
