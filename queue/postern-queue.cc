// postern-queue - put one message and its envelope on disk, crash-proof.
//
//   usage      postern-queue [--serve [--workers N] [--clients UID,...] [--trust UID,...]]
//   fd 0 in    the message, to end of file
//   fd 1 in    the envelope: F<sender>\0 (T<recipient>\0)* \0
//   fd 5 in    extras (RFC 3461), only with POSTERN_EXTRAS=5
//   env        POSTERN_HOME, POSTERN_MID, POSTERN_SPOOL and those kept with the message (postern-queue(8))
//   user       posternq; root becomes the owner of the queue; whoever may not write it asks @queue instead
//   exit       0 queued, 11..40 never, any other code try again; full list in postern-queue(8)

#include <sys/stat.h>
#include <unistd.h>

#include "lib/control.h"
#include "lib/log.h"
#include "lib/mid.h"
#include "lib/program.h"
#include "lib/receive.h"
#include "lib/relay.h"
#include "lib/serve.h"
#include "lib/spool.h"
#include "lib/text.h"
#include "lib/wake.h"
#include "queue/kept.h"
#include "queue/queue_user.h"

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

Result<uint64_t> put_on_disk(const Job& job, const Spool& spool) {
  Result<Envelope> envelope = receive_envelope(job);
  if (!envelope) return envelope.failure();
  const std::optional<uint64_t> given = parse_mid(job.environment.get_or("POSTERN_MID", ""));
  const uint64_t mid = given ? *given : make_mid();
  const std::string received = given ? std::string() : received_line(mid);
  const Environment kept = kept_variables(job.environment);
  Result<StagedMessage> staged = spool.stage({.message = job.fd(0),
                                              .limit_bytes = kMessageLimitBytes,
                                              .first_header = received,
                                              .envelope = *envelope,
                                              .kept = kept},
                                             mid);
  if (!staged) return staged.failure();
  if (job.client_gone()) return temporary("commit the message: the client has gone", 54);
  Result<uint64_t> committed = spool.commit(std::move(*staged));
  if (committed && given && *committed != *given) {
    log_info("MID " + std::to_string(*given) + " rewritten to " + std::to_string(*committed) + " by queue");
  }
  return committed;
}

class Queue {
 public:
  int take(Job& job) {
    const bool work = job.environment.get("POSTERN_SPOOL") == "work";
    const Spool& spool = work ? work_ : queue_;
    Result<uint64_t> mid = put_on_disk(job, spool);
    if (!mid) {
      log_warning("queue a message", mid.failure());
      return queue_exit_code(mid.failure());
    }
    if (!work) log_info("MID " + std::to_string(*mid) + " queued for delivery");
    (work ? wake_workq_ : wake_send_).wake(*mid);
    return 0;
  }
  [[nodiscard]] const Spool& spool() const { return queue_; }

 private:
  Spool queue_{home_path("queue")};
  Spool work_{home_path("work")};
  WakeWriter wake_send_{home_path("queue")};
  WakeWriter wake_workq_{home_path("work")};
};

int ask_resident(const Job& job) {
  Result<Reply> reply = relay_job(job, "@queue", kMessageLimitBytes, now_milliseconds() + kAskMilliseconds);
  if (reply) return reply->exit_code;
  log_warning("ask @queue", reply.failure());
  return queue_exit_code(reply.failure());
}

int run(int argc, char** argv) {
  ::umask(077);
  Queue queue;
  if (Result<void> became = become_owner(queue.spool().directory()); !became) {
    log_critical("use the queue", became.failure().text);
    return 61;
  }
  ServeOptions defaults;
  defaults.workers = 20;
  const Forms forms{.defaults = defaults, .path_fds = {0, 1, 5, 6}, .load = {}};
  return run_forms(argc, argv, forms, [&](Job& job, std::string&) {
    if (job.connection < 0) {
      ::alarm(kDeathSeconds);
      if (::access((queue.spool().directory() + "/tmp").c_str(), W_OK) < 0 && errno == EACCES)
        return ask_resident(job);
    }
    return queue.take(job);
  });
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("postern-queue", {.no_memory = 51, .bug = 81}, run, argc, argv);
}
