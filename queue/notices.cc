#include "queue/notices.h"

#include <algorithm>
#include <string>

#include "lib/log.h"
#include "lib/mid.h"
#include "lib/text.h"
#include "queue/verp.h"

namespace postern {

namespace {

const std::string& text_of(const Delivery& delivery, size_t rid, Action action) {
  if (action == Action::failed) return delivery.failed.at(rid);
  if (action == Action::delayed) return delivery.deferred.at(rid);
  return delivery.attempts.untold.at(rid).text;
}

// A failed notification is never bounced, but given to the postmaster, once.
void choose_double_bounce(Delivery& delivery, const SendSettings& settings) {
  if (delivery.failed.empty()) return;
  const std::string mid = mid_text(delivery.mid);
  if (!delivery.queued.envelope.sender.empty()) {
    log_info("Triple bounce " + mid + " dropped");
  } else if (settings.double_bounce_to.empty()) {
    log_info("Double bounce " + mid + " dropped");
  } else {
    for (const auto& [rid, why] : delivery.failed) delivery.telling[rid] = Action::failed;
  }
}

bool warns_by_now(const Delivery& delivery, const SendSettings& settings, uint64_t now_seconds) {
  const uint64_t born = delivery.queued.born / 1000000;
  return settings.delay_warning != 0 && now_seconds >= born && now_seconds - born >= settings.delay_warning;
}

}  // namespace

bool asks_for(std::string_view notify, std::string_view kind) {
  bool understood = false;
  for (const std::string_view word : split(notify, ',')) {
    if (equal_ignoring_case(word, kind)) return true;
    for (const std::string_view known : {"NEVER", "SUCCESS", "FAILURE", "DELAY"}) {
      understood = understood || equal_ignoring_case(word, known);
    }
  }
  return !understood && kind != "SUCCESS";
}

void choose_notices(Delivery& delivery, const SendSettings& settings, uint64_t now_seconds) {
  delivery.telling.clear();
  const Envelope& envelope = delivery.queued.envelope;
  if (is_notification_sender(envelope.sender)) return choose_double_bounce(delivery, settings);
  for (const auto& [rid, why] : delivery.failed) {
    if (asks_for(envelope.recipients.at(rid).notify, "FAILURE")) delivery.telling[rid] = Action::failed;
  }
  if (warns_by_now(delivery, settings, now_seconds)) {
    for (const auto& [rid, why] : delivery.deferred) {
      if (!delivery.attempts.warned.contains(rid) && asks_for(envelope.recipients.at(rid).notify, "DELAY"))
        delivery.telling[rid] = Action::delayed;
    }
  }
  for (const auto& [rid, success] : delivery.attempts.untold) {
    delivery.telling[rid] = action_of(success.action).value_or(Action::delivered);
  }
}

BounceRequest bounce_request_for(const Delivery& delivery, const SendSettings& settings) {
  const Envelope& envelope = delivery.queued.envelope;
  const uint64_t arrival = delivery.queued.born / 1000000;
  BounceRequest request{.mid = delivery.mid,
                        .sender = told_sender(envelope.sender),
                        .to = envelope.sender.empty() ? settings.double_bounce_to : std::string(),
                        .envid = envelope.envid,
                        .arrival = arrival,
                        .last_try = arrival + settings.retry.lifetime,
                        .full = equal_ignoring_case(envelope.ret, "FULL"),
                        .smtputf8 = envelope.smtputf8,
                        .recipients = {}};
  for (const auto& [rid, action] : delivery.telling) {
    const Recipient& recipient = envelope.recipients.at(rid);
    request.recipients.push_back(
        {recipient.address, recipient.orcpt, action, text_of(delivery, rid, action)});
  }
  return request;
}

void forget_old_successes(Delivery& delivery, const SendSettings& settings, uint64_t now_seconds) {
  RetryProfile twice = settings.retry;
  twice.lifetime = twice.lifetime > UINT64_MAX / 2 ? UINT64_MAX : 2 * twice.lifetime;
  if (delivery.attempts.untold.empty() || !delivery.expired(twice, now_seconds)) return;
  log_warning("tell the sender of MID " + std::to_string(delivery.mid),
              "its deliveries were tried to be told for too long");
  delivery.attempts.untold.clear();
}

std::set<size_t> take_told(Delivery& delivery, bool told) {
  std::set<size_t> told_of;
  delivery.attempts.warned.clear();
  for (const auto& [rid, action] : delivery.telling) {
    if (action == Action::failed) {
      if (!told) delivery.deferred.insert(delivery.failed.extract(rid));
    } else if (told && action == Action::delayed) {
      delivery.attempts.warned.insert(rid);
    } else if (told) {
      told_of.insert(rid);
      delivery.attempts.untold.erase(rid);
    }
  }
  delivery.telling.clear();
  set_states(delivery, delivery.failed, RecipientState::failed);
  delivery.failed.clear();
  return told_of;
}

}  // namespace postern
