// postern-scanq - take one message through the work queue's stages, then queue, hold or refuse it.
//
//   usage      postern-scanq [--serve [--workers N] [--clients UID,...] [--trust UID,...] ...]
//   fd 0,1,5   message, envelope and extras as for postern-queue(8); with POSTERN_SET a set to be placed
//   fd 6 out   reason, only with exit 82; in the path form also what a dry run has to say
//   env        Joint 2's variables; POSTERN_QUEUE (default @queue), POSTERN_QUARANTINE_PROGRAM (default
//              @quarantine), POSTERN_SETS (default @sets)
//   files      control/{stages,locals,rcpthosts}, read at the start and on SIGHUP; control/templates
//   user       posterns
//   exit       0 taken and durable (queued, held or dropped as the stages said), 99 a dry run, else as
//              postern-queue(8)

#include <signal.h>
#include <unistd.h>

#include <algorithm>

#include "lib/call.h"
#include "lib/log.h"
#include "lib/mid.h"
#include "lib/program.h"
#include "lib/receive.h"
#include "lib/serve.h"
#include "lib/text.h"
#include "scanq/direction.h"
#include "scanq/outputs.h"
#include "scanq/scan.h"
#include "scanq/scanq_settings.h"

namespace {

using namespace postern;

constexpr size_t kMessageLimitBytes = size_t{1} << 32;
constexpr int64_t kBudgetMilliseconds = 230000;  // below smtpd's 240 s, so that the answer still reaches it
constexpr unsigned kPathSeconds = 3600;  // for all of a path form's job, the reading of a pipe included
constexpr int kDryRun = 99;              // not taken: temporary for whoever hands in mail

class Scan {
 public:
  Scan(const ScanqSettings& settings, Job& job, std::string& report)
      : settings_(settings), job_(job), report_(report) {}

  // One message: split by direction, scanned part by part, then all that came of it committed at once.
  int take() {
    if (job_.connection < 0) ::alarm(kPathSeconds);  // a resident's worker has its own
    Result<Envelope> envelope = receive_envelope(job_);
    if (!envelope) return fail(envelope.failure());
    original_ = std::move(*envelope);
    if (is_set("POSTERN_SET") && is_set("POSTERN_DRYRUN")) return kDryRun;
    if (is_set("POSTERN_SET"))
      return answer(place_set(job_.fd(0), job_.environment, settings_.programs, deadline_));
    Result<std::vector<Part>> parts = make_parts();
    if (!parts) return fail(parts.failure());
    return end(scan(std::move(*parts), settings_.stages, deadline_));
  }

 private:
  Result<std::vector<Part>> make_parts();
  int end(Scanned scanned);
  int commit(const std::vector<Output>& outputs);
  int refused(const Part& part) const;
  void tell_fates(const Scanned& scanned, bool hold_refused);
  [[nodiscard]] int answer(const QueueAnswer& answer) const {
    return answer.exit_code == 82 ? refuse(job_, queue_reply(answer)) : answer.exit_code;
  }
  static int fail(const Failure& failure) {
    log_warning("scan a message", failure);
    return queue_exit_code(failure);
  }
  [[nodiscard]] bool is_set(std::string_view name) const { return job_.environment.get(name).has_value(); }

  const ScanqSettings& settings_;
  Job& job_;
  std::string& report_;
  int64_t deadline_ = now_milliseconds() + kBudgetMilliseconds;
  Envelope original_;  // with the environment and the number: what came
  Environment environment_;
  uint64_t mid_ = 0;
};

Result<std::vector<Part>> Scan::make_parts() {
  Result<Fd> message = own_copy(job_.fd(0), kMessageLimitBytes, "copy the message");
  if (!message)
    return message.failure().permanent() ? message.failure() : temporary(message.failure().text, 54);
  Environment& environment = environment_;
  environment = job_.environment;
  // What another scan, or none of ours, has left there.
  for (const char* name : {"POSTERN_SCORE", "POSTERN_SYMBOLS", "POSTERN_HOLD_UNTIL", "POSTERN_BOUNCE"})
    environment.unset(name);
  if (!is_set("POSTERN_DEFERRED") && !is_set("POSTERN_RELEASED")) environment.unset("POSTERN_WORK");
  mid_ = parse_mid(environment.get_or("POSTERN_MID", "")).value_or(0);
  if (mid_ == 0) mid_ = make_mid();
  std::vector<Part> parts;
  for (const DirectedRecipients& group : split_by_direction(original_, environment, settings_.ours)) {
    Result<Fd> own = twin(*message);
    if (!own) return own.failure();
    Part part;
    part.mid = parts.empty() ? mid_ : make_mid();
    part.message = std::move(*own);
    part.envelope = original_;
    part.envelope.recipients = group.recipients;
    part.environment = environment;
    part.direction = group.direction;
    part.environment.set("POSTERN_DIRECTION", group.direction);
    part.environment.set("POSTERN_MID", std::to_string(part.mid));
    if (!parts.empty()) {
      part.environment.set("POSTERN_PARENT_MID", std::to_string(mid_));
      log_info(mid_text(mid_) + " was split creating " + mid_text(part.mid) + " due to direction " +
               group.direction);
    }
    parts.push_back(std::move(part));
  }
  return parts;
}

int Scan::end(Scanned scanned) {
  const Part* deferred = scanned.deferred();
  // The client of a message from the work queue has its 250: what is refused is held, as where other
  // recipients of one message are accepted.
  const bool all_refused = scanned.all_refused() && !is_set("POSTERN_DEFERRED");
  tell_fates(scanned, !all_refused && deferred == nullptr);
  if (is_set("POSTERN_DRYRUN")) return kDryRun;
  if (deferred != nullptr) return refused(*deferred);
  for (const Part& part : scanned.parts) {
    if (part.decision.fate != Fate::drop) continue;
    log_info("Message aborted " + mid_text(part.mid) + " Dropped by " + part.decision.stage + ": " +
             printable(part.decision.reason));
  }
  std::vector<Output> outputs = outputs_of(scanned.parts, !all_refused);
  for (Output& copy : scanned.copies) outputs.push_back(std::move(copy));
  // An exemption is for this scan alone, not for what an operator releases another time.
  for (Output& output : outputs) output.environment.unset("POSTERN_EXEMPT");
  if (const int code = commit(outputs); code != 0) return code;
  if (!all_refused) return 0;
  return refused(*std::find_if(scanned.parts.begin(), scanned.parts.end(),
                               [](const Part& part) { return part.decision.fate == Fate::refuse; }));
}

// One output under the message's own number is its own commit: who takes it knows it again. More than one, or
// another number, is a set, so that a kill or a failure between them leaves neither half of them nor two.
int Scan::commit(const std::vector<Output>& outputs) {
  if (outputs.empty()) return 0;
  if (job_.client_gone()) return fail(temporary("commit the message: the client has gone", 54));
  if (outputs.size() == 1 && outputs.front().mid == mid_)
    return answer(place(outputs.front(), settings_.programs, deadline_));
  return answer(commit_set(outputs, mid_, original_, environment_, settings_.programs, deadline_));
}

int Scan::refused(const Part& part) const {
  log_info(mid_text(part.mid) + (part.decision.reply.permanent() ? " rejected by " : " deferred by ") +
           part.decision.stage + ": " + printable(part.decision.reply.line()));
  return refuse(job_, part.decision.reply);
}

// A resident's client is told what becomes of each part, in the reply: a release needs it, and smtpd judges
// its client by it. A path form's descriptor 1 is the envelope; it tells of a dry run only.
void Scan::tell_fates(const Scanned& scanned, bool hold_refused) {
  if (!is_set("POSTERN_DRYRUN") && job_.connection < 0) return;
  std::string lines = fates_of(scanned.parts, hold_refused);
  for (const Output& copy : scanned.copies) {
    lines += std::to_string(copy.mid) +
             (copy.holds.empty() ? " queued copy\n" : " quarantined " + copy.holds.front().quarantine + "\n");
  }
  if (job_.connection >= 0) {
    report_ = lines.substr(0, kReplyLimitBytes);
  } else if (is_set("POSTERN_DRYRUN")) {
    (void)write_all(job_.fd(6) < 0 ? 2 : job_.fd(6), lines, "say what becomes of the message");
  }
}

int run(int argc, char** argv) {
  ScanqSettings settings;
  const auto load = [&]() {
    Result<ScanqSettings> read = read_scanq_settings();
    if (!read) {
      log_critical("read the settings", read.failure().text);
      return false;
    }
    settings = std::move(*read);
    return true;
  };
  ServeOptions defaults;
  defaults.workers = 20;
  const Forms forms{.defaults = defaults, .path_fds = {0, 1, 5, 6}, .load = load};
  return run_forms(argc, argv, forms,
                   [&](Job& job, std::string& report) { return Scan(settings, job, report).take(); });
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("postern-scanq", {.no_memory = 51, .bug = 81}, run, argc, argv);
}
