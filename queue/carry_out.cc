#include "queue/carry_out.h"

#include <algorithm>

#include "lib/log.h"
#include "lib/mid.h"
#include "lib/text.h"
#include "queue/pass.h"

namespace postern {

namespace {

constexpr uint64_t kHeldSeconds = 86400;
constexpr std::string_view kBounced = "5.0.0 bounced by the operator";

void set_state(Delivery& delivery, size_t rid, RecipientState state) {
  if (delivery.queued.states.at(rid) != state) set_states(delivery, {{rid, {}}}, state);
}

// What was done, for the log; empty when nothing had to be.
std::string_view carry_out_one(Delivery& delivery, size_t rid, const RecipientOrders& orders) {
  const RecipientState before = delivery.queued.states.at(rid);
  const RecipientState after = state_by_orders(before, &orders);
  if (after == before) return {};
  switch (after) {
    case RecipientState::removed:
      delivery.deferred.erase(rid);
      delivery.failed.erase(rid);
      set_state(delivery, rid, after);
      return "removed";
    case RecipientState::failed:
      // What a host has said for good meanwhile is the better reason.
      delivery.deferred.erase(rid);
      delivery.failed.try_emplace(rid, kBounced);
      return {};  // logged as every bounce
    case RecipientState::held:
      if (delivery.failed.contains(rid)) return {};
      delivery.deferred.erase(rid);
      set_state(delivery, rid, after);
      return "held";
    default:
      set_state(delivery, rid, after);
      return "released";
  }
}

}  // namespace

void carry_out(Delivery& delivery) {
  LogLines log;
  for (const auto& [rid, orders] : delivery.orders.recipients) {
    const std::string_view done = carry_out_one(delivery, rid, orders);
    if (done.empty()) continue;
    log.info(mid_text(delivery.mid) + " RID " + std::to_string(rid) + " " + std::string(done) +
             " by order of " + printable(orders.who, 64));
  }
}

Result<bool> reread_orders(Delivery& delivery) {
  Result<std::optional<std::string>> log = read_defer_log(delivery.attempts_path);
  if (!log) return log.failure();
  delivery.attempts.bytes = log->value_or("").size();
  Orders orders = replay_orders(log->value_or(""), delivery.queued.states.size());
  const bool changed = orders.recipients != delivery.orders.recipients;
  delivery.orders = std::move(orders);
  return changed;
}

void decide_pass(Delivery& delivery, bool flushed, const BounceChoice& choice, uint64_t now_seconds) {
  const bool ordered = delivery.orders.flushes > delivery.attempts.flushes;
  const Attempts& attempts = delivery.attempts;
  const uint64_t longest = choice.profiles.longest_wait();
  const bool due = is_due(attempts.last, attempts.next, longest, now_seconds);
  delivery.not_due.clear();
  if (!flushed && !ordered && due) {
    for (const auto& [rid, turn] : attempts.turns) {
      if (!is_due(attempts.last, turn.next, longest, now_seconds)) delivery.not_due.insert(rid);
    }
    fail_waiting(delivery, choice, now_seconds);
  }
  delivery.tried = delivery.waits() && (flushed || ordered || due);
}

std::optional<uint64_t> soonest_not_due(const Delivery& delivery) {
  std::optional<uint64_t> soonest;
  for (const size_t rid : delivery.not_due) {
    if (rid >= delivery.queued.states.size() || delivery.queued.states[rid] != RecipientState::pending)
      continue;
    const uint64_t next = delivery.attempts.turn_of(rid).next;
    soonest = std::min(soonest.value_or(next), next);
  }
  return soonest;
}

uint64_t next_time(const Delivery& delivery, uint64_t next_pass, uint64_t now_seconds) {
  if (delivery.orders_came) return 0;
  return delivery.waits() ? next_pass : now_seconds + kHeldSeconds;
}

}  // namespace postern
