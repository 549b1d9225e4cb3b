#include "tlsd/worker.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <unordered_map>
#include <vector>

#include "lib/child.h"
#include "lib/descriptors.h"
#include "lib/log.h"
#include "lib/signals.h"
#include "tlsd/relay.h"

namespace postern::tlsd {

namespace {

constexpr size_t kMostRelays = 5000;           // of one worker; each may have three descriptors
constexpr size_t kOtherDescriptors = 50;       // the program's own
constexpr int64_t kLookMilliseconds = 500;     // how often deadlines are looked at
constexpr int64_t kTroubleMilliseconds = 200;  // before another try when accept failed
constexpr size_t kEvents = 64;
constexpr uint64_t kListening = 0;
constexpr int kLastAccepts = 1000;

class Worker {
 public:
  Worker(int listening, const Certificates& certificates, int64_t handshake_milliseconds,
         const ServeOptions& options)
      : listening_(listening),
        certificates_(certificates),
        handshake_milliseconds_(handshake_milliseconds),
        options_(options) {}
  bool start();
  void run();

 private:
  void listen(bool on);
  bool accept_one();
  void handle(const epoll_event& event);
  void give_turns();
  void look_at_deadlines();
  void after(uint64_t id, const Relay& relay);
  [[nodiscard]] int wait_milliseconds() const;

  int listening_;
  const Certificates& certificates_;
  int64_t handshake_milliseconds_;
  const ServeOptions& options_;
  sigset_t while_waiting_{};
  Fd poller_;
  bool listens_ = false;
  bool said_stop_ = false;
  size_t limit_ = 0;
  uint64_t last_id_ = 0;
  int64_t next_look_ = 0;
  int64_t no_accept_before_ = 0;
  std::unordered_map<uint64_t, std::unique_ptr<Relay>> relays_;
  std::vector<uint64_t> turns_;  // who stopped to let others go first
};

bool Worker::start() {
  while_waiting_ = catch_signals({SIGTERM});
  raise_descriptor_limit(3 * kMostRelays + kOtherDescriptors);
  limit_ = std::min(kMostRelays, (descriptor_limit() - kOtherDescriptors) / 3);
  poller_.reset(::epoll_create1(EPOLL_CLOEXEC));
  if (!poller_) log_critical("wait for connections", os_failure("epoll_create", errno).text);
  return static_cast<bool>(poller_);
}

// EPOLLEXCLUSIVE: one that waits is woken, not all; one that is busy with handshakes does not wait, so the
// others get what comes. Whoever is first in the kernel's list is woken as long as it waits, so who has taken
// one leaves the list and comes back at its end: else one worker would hold all connections of a quiet day.
void Worker::listen(bool on) {
  if (on == listens_) return;
  epoll_event event{};
  event.events = EPOLLIN | EPOLLEXCLUSIVE;
  event.data.u64 = kListening;
  if (::epoll_ctl(poller_.get(), on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, listening_, &event) == 0) listens_ = on;
}

void Worker::run() {
  std::array<epoll_event, kEvents> events{};
  while (!said_stop_ || !relays_.empty()) {
    if (asked.stop != 0 && !std::exchange(said_stop_, true)) {
      // Who was let in before the end is served: the others' turn comes with the next service.
      for (int i = 0; i < kLastAccepts && accept_one(); ++i) {
      }
      listen(false);
    } else if (asked.stop == 0) {
      listen(relays_.size() < limit_ && now_milliseconds() >= no_accept_before_);
    }
    const int came =
        ::epoll_pwait(poller_.get(), events.data(), kEvents, wait_milliseconds(), &while_waiting_);
    for (int i = 0; i < came; ++i) handle(events.at(static_cast<size_t>(i)));
    give_turns();
    look_at_deadlines();
  }
}

int Worker::wait_milliseconds() const {
  if (!turns_.empty()) return 0;
  if (asked.stop == 0 && relays_.size() < limit_ && !listens_) return static_cast<int>(kTroubleMilliseconds);
  return relays_.empty() ? (asked.stop != 0 ? 0 : -1) : static_cast<int>(kLookMilliseconds);
}

// One at a time, so that the other workers get their share of a rush. False: there is none.
bool Worker::accept_one() {
  Fd control{::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
  if (!control) {
    if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED) return false;
    log_warning("accept a connection", os_failure("accept", errno));
    no_accept_before_ = now_milliseconds() + kTroubleMilliseconds;
    listen(false);
    return false;
  }
  if (!client_allowed(control.get(), options_)) return true;
  const uint64_t id = ++last_id_;
  auto relay =
      std::make_unique<Relay>(std::move(control), poller_.get(), id, certificates_, handshake_milliseconds_);
  if (!relay->over()) relays_.emplace(id, std::move(relay));
  listen(false);
  return true;
}

void Worker::handle(const epoll_event& event) {
  if (event.data.u64 == kListening) {
    (void)accept_one();
    return;
  }
  const uint64_t id = event.data.u64 / 4;
  const auto found = relays_.find(id);
  if (found == relays_.end()) return;  // it ended by an event of the same round
  found->second->on_event(static_cast<Relay::Side>(event.data.u64 % 4), event.events);
  after(id, *found->second);
}

void Worker::after(uint64_t id, const Relay& relay) {
  if (relay.over()) {
    relays_.erase(id);
  } else if (relay.wants_turn() && std::find(turns_.begin(), turns_.end(), id) == turns_.end()) {
    turns_.push_back(id);
  }
}

void Worker::give_turns() {
  std::vector<uint64_t> turns;
  turns.swap(turns_);
  for (const uint64_t id : turns) {
    const auto found = relays_.find(id);
    if (found == relays_.end() || !found->second->wants_turn()) continue;
    found->second->go_on();
    after(id, *found->second);
  }
}

void Worker::look_at_deadlines() {
  if (relays_.empty()) return;
  const int64_t now = now_milliseconds();
  if (now < next_look_) return;
  next_look_ = now + kLookMilliseconds;
  for (auto each = relays_.begin(); each != relays_.end();) {
    if (now >= each->second->deadline()) each->second->time_out();
    each = each->second->over() ? relays_.erase(each) : std::next(each);
  }
}

}  // namespace

void serve_connections(int listening, const Certificates& certificates, int64_t handshake_milliseconds,
                       const ServeOptions& options) {
  Worker worker(listening, certificates, handshake_milliseconds, options);
  if (worker.start()) worker.run();
}

}  // namespace postern::tlsd
