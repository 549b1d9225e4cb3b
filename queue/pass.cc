#include "queue/pass.h"

#include <string>

#include "lib/log.h"
#include "lib/text.h"
#include "queue/dsn.h"

namespace postern {

void fail_expired(Delivery& delivery, const RetryProfile& profile, uint64_t now_seconds) {
  if (!delivery.expired(profile, now_seconds)) return;
  for (auto& [rid, why] : delivery.deferred) delivery.failed[rid] = why + " (tried for too long)";
  delivery.deferred.clear();
}

void log_pass(const Delivery& delivery) {
  const std::string id = std::to_string(delivery.mid);
  const Envelope& envelope = delivery.queued.envelope;
  LogLines log;
  const auto tell = [&](std::string_view what, char status_class,
                        const std::map<size_t, std::string>& recipients) {
    for (const auto& [rid, why] : recipients) {
      std::string status = diagnose(why).status;
      status[0] = status_class;
      log.info(std::string(what) + ": " + id + ":" + std::to_string(rid) + " From:<" +
               printable(envelope.sender) + "> To:<" + printable(envelope.recipients.at(rid).address) +
               "> Reason: \"" + status + "\" Response: \"" + printable(why) + "\"");
    }
  };
  tell("Bounced", '5', delivery.failed);
  tell("Delayed", '4', delivery.deferred);
}

uint64_t put_off(const Spool& spool, const Delivery& delivery, const RetryProfile& profile,
                 uint64_t now_seconds) {
  Attempts attempts{.tries = delivery.attempts.tries + 1, .last = now_seconds, .next = 0, .replies = {}};
  attempts.next = attempts.last + wait_after(profile, attempts.tries);
  if (Result<void> noted = append_attempt(spool.path("defer", delivery.mid), delivery.deferred, attempts);
      !noted) {
    log_warning("note the attempt on MID " + std::to_string(delivery.mid), noted.failure());
  }
  return attempts.next;
}

}  // namespace postern
