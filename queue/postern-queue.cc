// postern-queue - put one message and its envelope on disk, crash-proof.
//
//   usage      postern-queue [--serve [--workers N] [--clients UID,...] [--trust UID,...]]
//   fd 0 in    the message, to end of file
//   fd 1 in    the envelope: F<sender>\0 (T<recipient>\0)* \0
//   fd 5 in    extras (RFC 3461), only with POSTERN_EXTRAS=5
//   env        POSTERN_HOME, POSTERN_SPOOL; POSTERN_MID, POSTERN_DEFERRED and those kept with the message
//              (postern-queue(8))
//   user       posternq; root becomes the owner of the spool; whoever may not write it asks @queue (@work,
//   @sets) instead exit       0 queued, 11..40 never, any other code try again; full list in postern-queue(8)

#include <sys/stat.h>
#include <unistd.h>

#include "lib/control.h"
#include "lib/log.h"
#include "lib/mid.h"
#include "lib/owner.h"
#include "lib/program.h"
#include "lib/receive.h"
#include "lib/relay.h"
#include "lib/serve.h"
#include "lib/spool.h"
#include "lib/taken_before.h"
#include "lib/text.h"
#include "queue/kept.h"
#include "queue/outgoing.h"
#include "queue/wake.h"
#include "queue/work_entry.h"

namespace {

using namespace postern;

constexpr size_t kMessageLimitBytes = size_t{1}
                                      << 32;  // what may come in is smtpd's databytes; this bounds the rest
constexpr unsigned kDeathSeconds = 86400;     // must stay below Spool's age of garbage
constexpr int64_t kAskMilliseconds = 240000;

// A message that came without a mid has no Received: line of ours either.
std::string received_line(uint64_t mid) {
  return "Received: (postern-queue " + std::to_string(mid) + " by uid " + std::to_string(::getuid()) + "); " +
         rfc5322_date(now_microseconds() / 1000000) + "\n";
}

// The delivery queue, the work queue, whose messages have yet to go through the stages, or the sets of
// what came of them.
struct Target {
  std::string name;  // of its directory, and of the resident that fills it
  Spool spool;
  bool to_be_scanned;
};

Target target_of(const Environment& own) {
  std::string name = own.get_or("POSTERN_SPOOL", "queue");
  if (name != "work" && name != "sets") name = "queue";
  return {.name = name, .spool = Spool(home_path(name)), .to_be_scanned = name != "queue"};
}

Result<uint64_t> put_on_disk(const Job& job, const Target& target, OutgoingMail& outgoing_mail) {
  Result<Envelope> envelope = receive_envelope(job);
  if (!envelope) return envelope.failure();
  const Spool& spool = target.spool;
  const std::optional<uint64_t> given = parse_mid(job.environment.get_or("POSTERN_MID", ""));
  const Result<bool> before = taken_before(spool, given.value_or(0), job.environment, *envelope);
  if (!before) return before.failure();
  if (*before) return *given;
  const uint64_t mid = given ? *given : make_mid();
  std::string first_header = given ? std::string() : received_line(mid);
  Environment kept =
      target.to_be_scanned ? message_variables(job.environment) : kept_variables(job.environment);
  Outgoing outgoing;
  if (!target.to_be_scanned) {
    Result<Outgoing> prepared = outgoing_mail.prepare(mid, job.fd(0), *envelope, job.environment);
    if (!prepared) return prepared.failure();
    outgoing = std::move(*prepared);
    first_header += outgoing.fields;
    if (!outgoing.fields.empty()) kept.set("POSTERN_SIGNED", "dkim");
    if (!outgoing.tagged.empty()) kept.set("POSTERN_PRVS", outgoing.tagged);
  }
  Result<StagedMessage> staged =
      spool.stage({.message = outgoing.message ? outgoing.message.get() : job.fd(0),
                   .limit_bytes = kMessageLimitBytes,
                   .first_header = first_header,
                   .envelope = *envelope,
                   .kept = kept},
                  mid);
  if (!staged) return staged.failure();
  if (job.client_gone()) return temporary("commit the message: the client has gone", 54);
  const std::optional<std::string_view> work = kept.get("POSTERN_WORK");
  // Another try has come to its end while we were writing: who asks us is not there any more either.
  if (work && is_work_entry(*work) && !work_entry_stands(*work))
    return temporary("commit the message: there is no " + printable(*work, 40) + " any more", 54);
  Result<uint64_t> committed = spool.commit(
      std::move(*staged), [&] { return taken_before(spool, given.value_or(0), job.environment, *envelope); });
  if (committed && given && *committed != *given) {
    log_info(mid_text(*given) + " rewritten to " + std::to_string(*committed) + " by queue");
  }
  return committed;
}

class Queue {
 public:
  int take(Job& job) {
    Result<uint64_t> mid = put_on_disk(job, target_, outgoing_mail_);
    if (!mid) {
      log_warning("queue a message", mid.failure());
      return queue_exit_code(mid.failure());
    }
    log_info(mid_text(*mid) + " queued for " +
             (target_.name == "work"   ? "scanning"
              : target_.name == "sets" ? "placing"
                                       : "delivery"));
    wake_.wake(*mid);
    return 0;
  }
  [[nodiscard]] const std::string& directory() const { return target_.spool.directory(); }
  [[nodiscard]] std::string resident() const { return "@" + target_.name; }

 private:
  Target target_ = target_of(Environment::of_process());
  OutgoingMail outgoing_mail_;
  WakeWriter wake_{target_.spool.directory()};
};

int ask_resident(const Job& job, const std::string& resident) {
  Result<Reply> reply = relay_job(job, resident, kMessageLimitBytes, now_milliseconds() + kAskMilliseconds);
  if (reply) return reply->exit_code;
  log_warning("ask " + resident, reply.failure());
  return queue_exit_code(reply.failure());
}

int run(int argc, char** argv) {
  ::umask(077);
  Queue queue;
  if (Result<void> became = become_owner(queue.directory()); !became) {
    log_critical("use the queue", became.failure().text);
    return 61;
  }
  ServeOptions defaults;
  defaults.workers = 20;
  const Forms forms{.defaults = defaults, .path_fds = {0, 1, 5, 6}, .load = {}};
  return run_forms(argc, argv, forms, [&](Job& job, std::string&) {
    if (job.connection < 0) {
      ::alarm(kDeathSeconds);
      if (::access((queue.directory() + "/tmp").c_str(), W_OK) < 0 && errno == EACCES)
        return ask_resident(job, queue.resident());
    }
    return queue.take(job);
  });
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("postern-queue", {.no_memory = 51, .bug = 81}, run, argc, argv);
}
