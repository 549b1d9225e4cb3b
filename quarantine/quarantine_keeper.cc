#include "quarantine/quarantine_keeper.h"

#include <poll.h>
#include <time.h>

#include <algorithm>

#include "lib/child.h"
#include "lib/log.h"
#include "lib/mid.h"
#include "lib/signals.h"
#include "lib/text.h"
#include "quarantine/quarantine_release.h"
#include "quarantine/quarantine_repair.h"

namespace postern::quarantine {

namespace {

constexpr int64_t kLookSeconds = 30;
constexpr int64_t kGarbageMilliseconds = 3600 * 1000;
constexpr uint64_t kAgainSeconds = 3600;  // after a release that failed
constexpr uint64_t kAuditSeconds = uint64_t{365} * 86400;

// It failed: again in an hour, not at every look.
void put_off(QuarantineStore& store, uint64_t mid, uint64_t now_seconds) {
  Result<HeldMessage> held = store.find(mid);
  Result<void> locked = held ? store.lock(*held) : Result<void>(held.failure());
  if (!locked) return;
  for (Membership& one : held->row.memberships) {
    if (one.expires != 0 && one.expires <= now_seconds) one.expires = now_seconds + kAgainSeconds;
  }
  held->row.releasing = false;
  if (Result<void> updated = store.update(held->row, {}); !updated)
    log_warning("put off " + mid_text(mid), updated.failure());
}

Result<void> deal_with(QuarantineStore& store, uint64_t mid, uint64_t now_seconds,
                       const Environment& environment) {
  Result<HeldMessage> held = store.find(mid);
  if (!held) return held.failure();
  const HeldRow row = held->row;
  const Act expired{.who = "keeper", .why = "expired"};
  if (row.releasing) {
    const ReleaseOrder order{
        .from = {}, .exemption = {}, .act = {.who = "keeper", .why = "asked for before"}};
    Result<Released> released = release_message(store, mid, order, environment);
    return released ? Result<void>() : released.failure();
  }
  const auto due = [&](const Membership& one) {
    return !one.released && one.expires != 0 && one.expires <= now_seconds;
  };
  if (std::any_of(row.memberships.begin(), row.memberships.end(),
                  [&](const Membership& one) { return due(one) && one.deletes; }))
    return delete_message(store, mid, expired);
  for (const Membership& one : row.memberships) {
    if (!due(one)) continue;
    const ReleaseOrder order{.from = one.quarantine, .exemption = {}, .act = expired};
    if (Result<Released> released = release_message(store, mid, order, environment); !released)
      return released.failure();
  }
  return {};
}

// Until the next message is due; what is put meanwhile may be due sooner than that.
int64_t seconds_to_wait(QuarantineStore& store, uint64_t now_seconds) {
  Result<Session> index = store.session();
  Result<uint64_t> next = index ? (*index)->next_expiry() : Result<uint64_t>(index.failure());
  if (!next || *next == 0) return kLookSeconds;
  return std::clamp<int64_t>(static_cast<int64_t>(*next) - static_cast<int64_t>(now_seconds), 1,
                             kLookSeconds);
}

}  // namespace

unsigned keep_once(QuarantineStore& store, uint64_t now_seconds) {
  std::vector<uint64_t> mids;
  {
    Result<Session> index = store.session();
    Result<std::vector<uint64_t>> due =
        index ? (*index)->due(now_seconds) : Result<std::vector<uint64_t>>(index.failure());
    if (!due) {
      log_warning("look what is due", due.failure());
      return 0;
    }
    mids = std::move(*due);
  }
  const Environment environment = Environment::of_process();
  unsigned done = 0;
  for (const uint64_t mid : mids) {
    if (asked.stop != 0) break;
    Result<void> dealt = deal_with(store, mid, now_seconds, environment);
    done += dealt ? 1 : 0;
    if (dealt) continue;
    log_warning("release or delete " + mid_text(mid) + ", which is due", dealt.failure());
    put_off(store, mid, now_seconds);
  }
  return done;
}

int keep(QuarantineStore& store) {
  const sigset_t while_waiting = catch_signals({SIGTERM, SIGINT, SIGHUP, SIGALRM});
  int64_t garbage_due = 0;
  while (asked.stop == 0) {
    asked.flush = 0;
    asked.reload = 0;
    const auto now = static_cast<uint64_t>(::time(nullptr));
    keep_once(store, now);
    if (now_milliseconds() >= garbage_due) {
      garbage_due = now_milliseconds() + kGarbageMilliseconds;
      if (Result<void> collected = collect_garbage(store); !collected)
        log_warning("collect garbage", collected.failure());
      Result<Session> index = store.session();
      Result<void> forgot =
          index ? (*index)->forget_audits((now - kAuditSeconds) * 1000000) : Result<void>(index.failure());
      if (!forgot) log_warning("forget old audits", forgot.failure());
    }
    if (asked.flush != 0) continue;
    const timespec timeout{seconds_to_wait(store, now), 0};
    ::ppoll(nullptr, 0, &timeout, &while_waiting);
  }
  return 0;
}

}  // namespace postern::quarantine
