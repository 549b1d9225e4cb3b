#include "scanq/outputs.h"

#include <unistd.h>

#include <algorithm>

#include "lib/call.h"
#include "lib/log.h"
#include "lib/mid.h"
#include "lib/text.h"
#include "scanq/set_file.h"

namespace postern {

namespace {

constexpr size_t kDetailLimitBytes = 200;

bool is_held(const Output& output) {
  return !output.holds.empty();
}

QueueAnswer failed(const std::string& doing, const Failure& failure) {
  log_warning(doing, failure);
  return {.exit_code = failure.exit_code != 0 ? failure.exit_code : 56, .reason = {}};
}

// The quarantine's `put` (design, Joint 4).
QueueAnswer hold(const Output& output, const std::string& program, int64_t deadline) {
  const std::string doing = "quarantine " + mid_text(output.mid);
  Result<Fd> envelope = memory_file_with("envelope", serialise_envelope(output.envelope));
  if (!envelope) return failed(doing, envelope.failure());
  if (Result<void> sealed = seal(envelope->get()); !sealed) return failed(doing, sealed.failure());
  Request request{.arguments = {"put"},
                  .environment = joint_variables(output.environment),
                  .fds = {{output.message.get(), 0}, {envelope->get(), 3}}};
  for (const Hold& hold : output.holds) {
    request.arguments.push_back(hold.quarantine);
    request.arguments.push_back(hold.reason);
  }
  request.environment.unset("POSTERN_EXTRAS");
  Fd extras_file;
  if (const std::string extras = serialise_extras(output.envelope); !extras.empty()) {
    Result<Fd> made = memory_file_with("extras", extras);
    if (!made) return failed(doing, made.failure());
    extras_file = std::move(*made);
    if (Result<void> sealed = seal(extras_file.get()); !sealed) return failed(doing, sealed.failure());
    request.fds.push_back({extras_file.get(), 5});
    request.environment.set("POSTERN_EXTRAS", "5");
  }
  ::lseek(output.message.get(), 0, SEEK_SET);
  Result<Reply> reply = call_program(program, request, deadline);
  if (!reply) return failed(doing, temporary(reply.failure().text, 56));
  return {.exit_code = reply->exit_code, .reason = {}};
}

std::string names_of(const std::vector<Hold>& holds) {
  std::string names;
  for (const Hold& hold : holds) names.append(names.empty() ? "" : ", ").append(hold.quarantine);
  return names;
}

std::string refused_because(const Part& part) {
  return part.decision.stage + ": " + part.decision.reply.line();
}

}  // namespace

std::vector<Output> outputs_of(std::vector<Part>& parts, bool hold_refused) {
  std::vector<Output> outputs;
  for (Part& part : parts) {
    PartDecision& decision = part.decision;
    if (decision.fate == Fate::drop || (decision.fate == Fate::refuse && !hold_refused)) continue;
    Output output{.mid = part.mid,
                  .message = std::move(part.message),
                  .envelope = std::move(part.envelope),
                  .environment = std::move(part.environment),
                  .holds = {}};
    if (decision.fate == Fate::quarantine) output.holds = decision.holds;
    if (decision.fate == Fate::refuse) output.holds = {{kRefusedQuarantine, refused_because(part)}};
    if (decision.fate == Fate::bounce) output.environment.set("POSTERN_BOUNCE", decision.reason);
    // Only what is held has a time until which.
    if (!is_held(output)) output.environment.unset("POSTERN_HOLD_UNTIL");
    outputs.push_back(std::move(output));
  }
  return outputs;
}

QueueAnswer place(const Output& output, const Programs& programs, int64_t deadline_milliseconds) {
  if (is_held(output)) return hold(output, programs.quarantine, deadline_milliseconds);
  return submit(programs.queue, output.message.get(), output.envelope, output.environment,
                deadline_milliseconds);
}

QueueAnswer commit_set(const std::vector<Output>& outputs, uint64_t mid, const Envelope& original,
                       const Environment& environment, const Programs& programs,
                       int64_t deadline_milliseconds) {
  Result<Fd> file = make_set_file(outputs);
  if (!file) return failed("make a set of " + mid_text(mid), file.failure());
  Environment own = environment;
  own.set("POSTERN_MID", std::to_string(mid));
  const QueueAnswer answer = submit(programs.sets, file->get(), original, own, deadline_milliseconds);
  if (answer.exit_code == 0)
    log_info(mid_text(mid) + " committed as a set of " + std::to_string(outputs.size()));
  return answer;
}

QueueAnswer place_set(int file, const Environment& request, const Programs& programs,
                      int64_t deadline_milliseconds) {
  Result<std::vector<Output>> outputs = read_set_file(file);
  if (!outputs) return failed("place a set", outputs.failure());
  std::stable_partition(outputs->begin(), outputs->end(),
                        [](const Output& output) { return !is_held(output); });
  for (Output& output : *outputs) {
    output.environment.set("POSTERN_MID", std::to_string(output.mid));
    output.environment.set("POSTERN_DEFERRED", "1");
    output.environment.set("POSTERN_WORK", request.get_or("POSTERN_WORK", ""));
    QueueAnswer answer = place(output, programs, deadline_milliseconds);
    if (answer.exit_code != 0) return answer;
  }
  return {.exit_code = 0, .reason = {}};
}

std::string fates_of(const std::vector<Part>& parts, bool hold_refused) {
  std::string lines;
  for (const Part& part : parts) {
    const PartDecision& decision = part.decision;
    const std::string by = decision.stage.empty() ? std::string() : decision.stage + ": ";
    std::string fate = "queued";
    std::string detail = std::to_string(part.envelope.recipients.size()) + " recipients";
    if (decision.fate == Fate::quarantine || (decision.fate == Fate::refuse && hold_refused)) {
      fate = "quarantined";
      detail = decision.fate == Fate::refuse ? kRefusedQuarantine : names_of(decision.holds);
    } else if (decision.fate == Fate::refuse) {
      fate = decision.reply.permanent() ? "refused" : "deferred";
      detail = by + decision.reply.line();
    } else if (decision.fate == Fate::drop) {
      fate = "dropped";
      detail = by + decision.reason;
    } else if (decision.fate == Fate::bounce) {
      detail = "to be bounced by " + by + decision.reason;
    }
    lines += std::to_string(part.mid) + " " + fate + " " + printable(detail, kDetailLimitBytes) + "\n";
  }
  return lines;
}

}  // namespace postern
