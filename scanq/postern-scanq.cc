// postern-scanq - take one message through the work queue's stages, then queue, hold or refuse it.
//
//   usage      postern-scanq [--serve [--workers N] [--clients UID,...] [--trust UID,...]]
//   fd 0,1,5   message, envelope and extras as for postern-queue(8)
//   fd 6 out   reason, only with exit 82
//   env        Joint 2's variables; POSTERN_QUEUE (default @queue), POSTERN_QUARANTINE_PROGRAM (default
//   @quarantine) files      control/{stages,locals,rcpthosts}, read at the start and on SIGHUP user posterns
//   exit       0 taken and durable (queued, held or dropped as the stages said), else as postern-queue(8)

#include <signal.h>
#include <unistd.h>

#include "lib/call.h"
#include "lib/control.h"
#include "lib/log.h"
#include "lib/mid.h"
#include "lib/program.h"
#include "lib/receive.h"
#include "lib/serve.h"
#include "lib/text.h"
#include "scanq/direction.h"
#include "scanq/scan.h"

namespace {

using namespace postern;

constexpr size_t kMessageLimitBytes = size_t{1} << 32;
constexpr int64_t kBudgetMilliseconds = 230000;  // below smtpd's 240 s, so that the answer still reaches it
constexpr unsigned kPathSeconds = 3600;  // for all of a path form's job, the reading of a pipe included
constexpr const char* kRefusedQuarantine = "Refused";

struct Settings {
  std::vector<Stage> stages;
  std::vector<std::string> ours;  // domains
  std::string queue_program;
  std::string quarantine_program;
};

Result<Settings> read_settings() {
  Settings settings;
  // From our own environment, never from a request: a client must not choose what we run.
  const Environment own = Environment::of_process();
  settings.queue_program = own.get_or("POSTERN_QUEUE", "@queue");
  settings.quarantine_program = own.get_or("POSTERN_QUARANTINE_PROGRAM", "@quarantine");
  Result<std::optional<std::vector<std::string>>> lines = control_list("stages");
  if (!lines) return lines.failure();
  Result<std::vector<Stage>> stages =
      parse_stages(lines->value_or(std::vector<std::string>{"antivirus @antivirus when=released"}));
  if (!stages) return stages.failure();
  settings.stages = std::move(*stages);
  for (const char* name : {"locals", "rcpthosts"}) {
    Result<std::optional<std::vector<std::string>>> domains = control_list(name);
    if (!domains) return domains.failure();
    if (domains->has_value())
      settings.ours.insert(settings.ours.end(), (*domains)->begin(), (*domains)->end());
  }
  if (settings.ours.empty()) {
    Result<std::string> me = control_me();
    if (!me) return me.failure();
    settings.ours.push_back(*me);
  }
  return settings;
}

class Scan {
 public:
  explicit Scan(const Settings& settings) : settings_(settings) {}

  // One message: split, scan every part, then commit what came of them.
  int take(Job& job) {
    deadline_ = now_milliseconds() + kBudgetMilliseconds;
    Result<std::vector<Part>> parts = read_parts(job);
    if (!parts) {
      log_warning("scan a message", parts.failure());
      return queue_exit_code(parts.failure());
    }
    std::vector<Decision> decisions;
    for (Part& part : *parts) {
      decisions.push_back(scan(part, settings_.stages, deadline_));
      const Decision& decision = decisions.back();
      if (decision.fate == Fate::refuse && !decision.reply.permanent())
        return say_refused(job, part, decision);
    }
    // The client of a message from the work queue has its 250: what is refused is held, as where other
    // recipients of one message are accepted.
    const bool answered = job.environment.get("POSTERN_DEFERRED").has_value();
    if (!answered && std::all_of(decisions.begin(), decisions.end(),
                                 [](const Decision& d) { return d.fate == Fate::refuse; })) {
      return say_refused(job, parts->front(), decisions.front());
    }
    if (job.client_gone()) {
      const Failure gone = temporary("commit the message: the client has gone", 54);
      log_warning("scan a message", gone);
      return queue_exit_code(gone);
    }
    return commit_all(job, *parts, decisions);
  }

 private:
  Result<std::vector<Part>> read_parts(const Job& job) const;
  int commit_all(const Job& job, const std::vector<Part>& parts,
                 const std::vector<Decision>& decisions) const;
  int commit(const Job& job, const Part& part, const Decision& decision) const;
  int hold(const Part& part, const Hold& hold) const;
  int queue(const Job& job, const Part& part) const;
  static int say_refused(const Job& job, const Part& part, const Decision& decision);

  const Settings& settings_;
  int64_t deadline_ = 0;
};

Result<std::vector<Part>> Scan::read_parts(const Job& job) const {
  if (job.connection < 0) ::alarm(kPathSeconds);  // a resident's worker has its own
  Result<Envelope> envelope = receive_envelope(job);
  if (!envelope) return envelope.failure();
  Result<Fd> message = own_copy(job.fd(0), kMessageLimitBytes, "copy the message");
  if (!message)
    return message.failure().permanent() ? message.failure() : temporary(message.failure().text, 54);
  const uint64_t given = parse_mid(job.environment.get_or("POSTERN_MID", "")).value_or(0);
  const std::vector<DirectedRecipients> groups =
      split_by_direction(*envelope, job.environment, settings_.ours);
  std::vector<Part> parts;
  for (const DirectedRecipients& group : groups) {
    Part part;
    part.mid = given == 0 || !parts.empty() ? make_mid() : given;
    Result<Fd> own = own_copy(message->get(), kMessageLimitBytes, "copy the message");
    if (!own) return own.failure();
    part.message = std::move(*own);
    part.envelope = *envelope;
    part.envelope.recipients = group.recipients;
    part.environment = job.environment;
    part.direction = group.direction;
    part.environment.set("POSTERN_DIRECTION", group.direction);
    part.environment.set("POSTERN_MID", std::to_string(part.mid));
    if (!parts.empty()) {
      part.environment.set("POSTERN_PARENT_MID", std::to_string(parts.front().mid));
      log_info("MID " + std::to_string(parts.front().mid) + " was split creating MID " +
               std::to_string(part.mid) + " due to direction " + group.direction);
    }
    parts.push_back(std::move(part));
  }
  return parts;
}

int Scan::say_refused(const Job& job, const Part& part, const Decision& decision) {
  log_info("MID " + std::to_string(part.mid) +
           (decision.reply.permanent() ? " rejected by " : " deferred by ") + decision.stage + ": " +
           printable(decision.reply.line()));
  return refuse(job, decision.reply);
}

// Those that are held first: they fail most. Once a part is durable nothing is permanent any more: the sender
// would be told of a failure although some recipients have the message.
int Scan::commit_all(const Job& job, const std::vector<Part>& parts,
                     const std::vector<Decision>& decisions) const {
  bool committed = false;
  for (const bool deliver : {false, true}) {
    for (size_t i = 0; i < parts.size(); ++i) {
      if ((decisions[i].fate == Fate::deliver) != deliver) continue;
      const int code = commit(job, parts[i], decisions[i]);
      if (code == 0) {
        committed = true;
        continue;
      }
      if (!committed) return code;
      log_critical("commit MID " + std::to_string(parts[i].mid) + " after another part of the same message",
                   "exit code " + std::to_string(code) + "; the client will send all of it again");
      return queue_exit_code(temporary("commit a part"));
    }
  }
  return 0;
}

int Scan::commit(const Job& job, const Part& part, const Decision& decision) const {
  switch (decision.fate) {
    case Fate::deliver:
      return queue(job, part);
    case Fate::quarantine:
      return hold(part, *decision.hold);
    case Fate::drop:
      log_info("Message aborted MID " + std::to_string(part.mid) + " Dropped by " + decision.stage + ": " +
               printable(decision.reason));
      return 0;
    case Fate::refuse:
      // The conversation cannot refuse these: other recipients are accepted, or it is over.
      return hold(part, {kRefusedQuarantine, decision.stage + ": " + decision.reply.line()});
  }
  return 81;
}

int Scan::hold(const Part& part, const Hold& hold) const {
  Result<Fd> envelope = memory_file_with("envelope", serialise_envelope(part.envelope));
  if (!envelope) return queue_exit_code(envelope.failure());
  if (Result<void> sealed = seal(envelope->get()); !sealed) return queue_exit_code(sealed.failure());
  Request request{.arguments = {"put", hold.quarantine, hold.reason},
                  .environment = joint_variables(part.environment),
                  .fds = {{part.message.get(), 0}, {envelope->get(), 3}}};
  request.environment.unset("POSTERN_EXTRAS");
  Result<Fd> extras = memory_file_with("extras", serialise_extras(part.envelope));
  if (!extras) return queue_exit_code(extras.failure());
  if (!serialise_extras(part.envelope).empty()) {
    request.fds.push_back({extras->get(), 5});
    request.environment.set("POSTERN_EXTRAS", "5");
  }
  ::lseek(part.message.get(), 0, SEEK_SET);
  Result<Reply> reply = call_program(settings_.quarantine_program, request, deadline_);
  if (!reply) {
    log_warning("quarantine MID " + std::to_string(part.mid), reply.failure());
    return queue_exit_code(temporary(reply.failure().text, 56));
  }
  return reply->exit_code;
}

int Scan::queue(const Job& job, const Part& part) const {
  const QueueAnswer answer =
      submit(settings_.queue_program, part.message.get(), part.envelope, part.environment, deadline_);
  if (answer.exit_code != 82) return answer.exit_code;
  return refuse(job, queue_reply(answer));
}

int run(int argc, char** argv) {
  Settings settings;
  const auto load = [&]() {
    Result<Settings> read = read_settings();
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
  return run_forms(argc, argv, forms, [&](Job& job, std::string&) { return Scan(settings).take(job); });
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("postern-scanq", {.no_memory = 51, .bug = 81}, run, argc, argv);
}
