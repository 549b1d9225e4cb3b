#include "queue/notices.h"

#include <algorithm>
#include <map>
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

bool warns_by_now(const Delivery& delivery, size_t rid, const BounceProfile& profile, uint64_t now_seconds) {
  if (!profile.send_delay_warnings) return false;
  const auto found = delivery.attempts.warned.find(rid);
  const Warnings before = found == delivery.attempts.warned.end() ? Warnings{} : found->second;
  const uint64_t since = std::max(delivery.queued.born / 1000000, before.last);
  return before.count < profile.max_delay_warnings && now_seconds >= since &&
         now_seconds - since >= profile.delay_warning_interval;
}

// Of failures and delays somebody else may be told; a delivery only who has asked for that.
std::string addressee_of(const Delivery& delivery, const SendSettings& settings, const BounceProfile& profile,
                         Action action) {
  if (delivery.queued.envelope.sender.empty()) return settings.double_bounce_to;
  return action == Action::failed || action == Action::delayed ? profile.bounce_recipient : std::string();
}

BounceRequest request_for(const Delivery& delivery, const BounceProfile& profile, std::string to) {
  const Envelope& envelope = delivery.queued.envelope;
  const uint64_t arrival = delivery.queued.born / 1000000;
  return {.mid = delivery.mid,
          .sender = told_sender(envelope.sender),
          .to = std::move(to),
          .envid = envelope.envid,
          .arrival = arrival,
          .last_try = arrival + profile.max_queue_lifetime,
          .full = equal_ignoring_case(envelope.ret, "FULL"),
          .copy_bytes = equal_ignoring_case(envelope.ret, "HDRS") ? 0 : profile.max_bounce_copy,
          .smtputf8 = envelope.smtputf8,
          .plain = profile.bounce_format == BounceFormat::plain,
          .bounce_template = profile.bounce_template,
          .sign = profile.sign_bounces,
          .recipients = {}};
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
    if (settings.bounces.of(delivery.queued, rid).send_hard_bounces &&
        asks_for(envelope.recipients.at(rid).notify, "FAILURE"))
      delivery.telling[rid] = Action::failed;
  }
  for (const auto& [rid, why] : delivery.deferred) {
    if (warns_by_now(delivery, rid, settings.bounces.of(delivery.queued, rid), now_seconds) &&
        asks_for(envelope.recipients.at(rid).notify, "DELAY"))
      delivery.telling[rid] = Action::delayed;
  }
  for (const auto& [rid, success] : delivery.attempts.untold) {
    delivery.telling[rid] = action_of(success.action).value_or(Action::delivered);
  }
}

std::vector<Notice> notices_for(const Delivery& delivery, const SendSettings& settings) {
  std::map<std::string, Notice> notices;  // by what postern-bounce is told, without the recipients
  for (const auto& [rid, action] : delivery.telling) {
    const BounceProfile& profile = settings.bounces.of(delivery.queued, rid);
    BounceRequest request = request_for(delivery, profile, addressee_of(delivery, settings, profile, action));
    const std::string key = serialise_bounce_request(request);
    Notice& notice = notices.try_emplace(key, Notice{std::move(request), {}}).first->second;
    const Recipient& recipient = delivery.queued.envelope.recipients.at(rid);
    notice.request.recipients.push_back(
        {recipient.address, recipient.orcpt, action, text_of(delivery, rid, action)});
    notice.rids.push_back(rid);
  }
  std::vector<Notice> all;
  for (auto& [key, notice] : notices) all.push_back(std::move(notice));
  return all;
}

void forget_old_successes(Delivery& delivery, const SendSettings& settings, uint64_t now_seconds) {
  const size_t forgotten = std::erase_if(delivery.attempts.untold, [&](const auto& success) {
    RetryProfile twice = retry_of(settings.bounces.of(delivery.queued, success.first));
    twice.lifetime = twice.lifetime > UINT64_MAX / 2 ? UINT64_MAX : 2 * twice.lifetime;
    return delivery.expired(twice, delivery.attempts.tries, now_seconds);
  });
  if (forgotten == 0) return;
  log_warning("tell the sender of MID " + std::to_string(delivery.mid),
              "its deliveries were tried to be told for too long");
}

std::set<size_t> take_told(Delivery& delivery, bool told) {
  std::set<size_t> told_of;
  delivery.attempts.warned.clear();
  for (const auto& [rid, action] : delivery.telling) {
    const bool knows = told && !delivery.not_told.contains(rid);
    if (action == Action::failed) {
      if (!knows) delivery.deferred.insert(delivery.failed.extract(rid));
    } else if (knows && action == Action::delayed) {
      delivery.attempts.warned[rid] = {.count = 1, .last = delivery.attempts.last};
    } else if (knows) {
      told_of.insert(rid);
      delivery.attempts.untold.erase(rid);
    }
  }
  delivery.telling.clear();
  delivery.not_told.clear();
  set_states(delivery, delivery.failed, RecipientState::failed);
  delivery.failed.clear();
  return told_of;
}

}  // namespace postern
