#include "queue/pass.h"

#include <string>

#include "lib/log.h"
#include "lib/text.h"
#include "queue/carry_out.h"
#include "queue/diagnosis.h"

namespace postern {

bool is_due(const Attempts& attempts, uint64_t longest_wait, uint64_t now_seconds) {
  return attempts.next <= now_seconds || attempts.last > now_seconds ||
         attempts.next - now_seconds > longest_wait;
}

void fail_as_asked(Delivery& delivery) {
  const std::optional<std::string_view> text = delivery.queued.kept.get("POSTERN_BOUNCE");
  if (!text) return;
  const bool has_status = diagnose(*text, '5').status != "5.0.0" || text->starts_with("5.0.0");
  const std::string why = (has_status ? "" : "5.7.1 ") + printable(*text);
  for (size_t rid = 0; rid < delivery.queued.states.size(); ++rid) {
    if (delivery.queued.states[rid] == RecipientState::pending) delivery.failed.try_emplace(rid, why);
  }
}

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
      log.info(std::string(what) + ": " + id + ":" + std::to_string(rid) + " From:<" +
               printable(envelope.sender) + "> To:<" + printable(envelope.recipients.at(rid).address) +
               "> Reason: \"" + diagnose(why, status_class).status + "\" Response: \"" + printable(why) +
               "\"");
    }
  };
  tell("Bounced", '5', delivery.failed);
  tell("Delayed", '4', delivery.deferred);
}

uint64_t put_off(const Delivery& delivery, const std::set<size_t>& told, const RetryProfile& profile,
                 uint64_t now_seconds) {
  const bool cut_short = delivery.withdrawn || (!delivery.held_back.empty() && delivery.deferred.empty());
  if ((!delivery.tried || cut_short) && delivery.deferred.empty() && told.empty()) {
    return next_time(delivery, delivery.attempts.next, now_seconds);
  }
  Attempts pass{.tries = delivery.attempts.tries + 1,
                .last = now_seconds,
                .next = now_seconds,
                .flushes = delivery.flushes,
                .replies = delivery.deferred,
                .warned = delivery.attempts.warned,
                .untold = {},
                // An order that is met in the pass to come counts as one that nobody has read.
                .bytes = delivery.orders_came ? 0 : delivery.attempts.bytes};
  if (!cut_short) pass.next += wait_after(profile, pass.tries);
  if (Result<void> noted = append_attempt(delivery.attempts_path, pass, told, delivery.attempts.replies);
      !noted) {
    log_warning("note the attempt on MID " + std::to_string(delivery.mid), noted.failure());
  }
  return next_time(delivery, pass.next, now_seconds);
}

}  // namespace postern
