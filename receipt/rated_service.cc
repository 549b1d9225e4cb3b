#include "receipt/rated_service.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <unordered_map>
#include <vector>

#include "lib/child.h"
#include "lib/descriptors.h"
#include "lib/log.h"
#include "lib/request.h"
#include "lib/signals.h"
#include "lib/text.h"
#include "receipt/counter_file.h"

namespace postern {

namespace {

constexpr size_t kWantedDescriptors = 65536;
constexpr size_t kOtherDescriptors = 32;  // that are not clients
constexpr size_t kPacketBytes = 32768;    // 16 checks with the longest of keys
constexpr int kEventsAtATime = 256;
constexpr int kAcceptsAtATime = 64;
constexpr int64_t kTickMilliseconds = 1000;
constexpr size_t kSweepTicks = 60;           // in which the whole table is looked through
constexpr int64_t kSaveSeconds = 30;         // the most that a crash may cost, with what the writing takes
constexpr int64_t kPauseMilliseconds = 100;  // after accept has failed

using Slots = std::unordered_map<std::string, uint32_t>;

struct RatedClient {
  Fd socket;
  std::vector<std::string> slots;  // that it holds
};

class RatedService {
 public:
  RatedService(int listening, const ServeOptions& options, const RatedOptions& rated,
               MemoryCounters& counters)
      : listening_(listening), options_(options), rated_(rated), counters_(counters) {}

  bool begin();
  void run(const sigset_t& while_waiting);
  void end_saving();

 private:
  void watch_listening(bool watch);
  void accept_clients();
  void serve(int fd);
  Reply answer(RatedClient& client, std::string_view packet);
  RateAnswer decide(RatedClient& client, const std::vector<RateCheck>& checks);
  void close(int fd);
  void tick();
  void save_in_child();
  void reap();

  int listening_;
  const ServeOptions& options_;
  const RatedOptions& rated_;
  MemoryCounters& counters_;
  Fd epoll_;
  std::unordered_map<int, RatedClient> clients_;
  Slots slots_;
  size_t client_limit_ = 0;
  bool watching_ = false;
  int64_t accept_after_ = 0;
  int64_t next_tick_ = 0;
  int64_t next_save_ = 0;
  bool changed_ = false;
  pid_t saving_ = 0;
  const pid_t rated_pid_ = ::getpid();
};

uint64_t now_seconds() {
  return now_microseconds() / 1000000;
}

std::string slot_name(const RateCheck& check) {
  return check.name + " " + check.key;  // a name has no blank
}

bool RatedService::begin() {
  raise_descriptor_limit(kWantedDescriptors);
  client_limit_ = descriptor_limit() - std::min(descriptor_limit(), kOtherDescriptors);
  ::fcntl(listening_, F_SETFD, FD_CLOEXEC);
  ::fcntl(listening_, F_SETFL, O_NONBLOCK);
  epoll_.reset(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_) log_critical("start", os_failure("epoll_create1", errno).text);
  next_tick_ = now_milliseconds() + kTickMilliseconds;
  next_save_ = now_milliseconds() + kSaveSeconds * 1000;
  return static_cast<bool>(epoll_);
}

void RatedService::run(const sigset_t& while_waiting) {
  std::array<epoll_event, kEventsAtATime> events{};
  while (asked.stop == 0) {
    asked.reload = 0;  // nothing is read from control/ that could have changed
    watch_listening(clients_.size() < client_limit_ && now_milliseconds() >= accept_after_);
    const int64_t wait = std::max<int64_t>(0, next_tick_ - now_milliseconds());
    const int ready =
        ::epoll_pwait(epoll_.get(), events.data(), kEventsAtATime, static_cast<int>(wait), &while_waiting);
    for (int i = 0; i < ready; ++i) {
      const int fd = events[static_cast<size_t>(i)].data.fd;
      fd == listening_ ? accept_clients() : serve(fd);
    }
    if (now_milliseconds() >= next_tick_) tick();
  }
}

void RatedService::watch_listening(bool watch) {
  if (watch == watching_) return;
  epoll_event event{.events = EPOLLIN, .data = {.fd = listening_}};
  if (::epoll_ctl(epoll_.get(), watch ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, listening_, &event) == 0)
    watching_ = watch;
}

void RatedService::accept_clients() {
  for (int i = 0; i < kAcceptsAtATime && clients_.size() < client_limit_; ++i) {
    Fd socket{::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
    if (!socket) {
      if (errno == EINTR || errno == ECONNABORTED || errno == EAGAIN) return;
      log_warning("accept a connection", os_failure("accept", errno));
      accept_after_ = now_milliseconds() + kPauseMilliseconds;
      return;
    }
    if (!client_allowed(socket.get(), options_)) continue;
    const int fd = socket.get();
    epoll_event event{.events = EPOLLIN | EPOLLRDHUP, .data = {.fd = fd}};
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) < 0) {
      log_warning("accept a connection", os_failure("epoll_ctl", errno));
      continue;
    }
    clients_.emplace(fd, RatedClient{.socket = std::move(socket), .slots = {}});
    serve(fd);  // its question is mostly there by now
  }
}

void RatedService::serve(int fd) {
  const auto client = clients_.find(fd);
  if (client == clients_.end()) return;
  std::array<char, kPacketBytes> packet;
  // One question a turn: whoever has asked more is told again by epoll, and for most the second look would be
  // in vain. Descriptors that somebody passes along are closed by the kernel: there is no room for them.
  const ssize_t got = ::recv(fd, packet.data(), packet.size(), MSG_TRUNC);
  if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (got <= 0) return close(fd);
  const Reply reply = static_cast<size_t>(got) > packet.size()
                          ? Reply{.exit_code = 100, .output = {}}
                          : answer(client->second, {packet.data(), static_cast<size_t>(got)});
  if (!send_reply(fd, reply)) return close(fd);  // who does not read its answers gets none
}

Reply RatedService::answer(RatedClient& client, std::string_view packet) {
  Result<DecodedRequest> request = decode_request(packet, 0);
  if (request && request->arguments == std::vector<std::string>{"status"})
    return {.exit_code = 0,
            .output = "keys " + std::to_string(counters_.size()) + "\nconnections " +
                      std::to_string(clients_.size()) + "\nslots " + std::to_string(slots_.size()) + "\n"};
  Result<std::vector<RateCheck>> checks =
      request ? parse_rate_arguments(request->arguments) : Result<std::vector<RateCheck>>(request.failure());
  if (!checks) {
    log_warning("answer a question", checks.failure());
    return {.exit_code = 100, .output = {}};
  }
  return {.exit_code = 0, .output = format_rate_answer(decide(client, *checks))};
}

RateAnswer RatedService::decide(RatedClient& client, const std::vector<RateCheck>& checks) {
  for (size_t i = 0; i < checks.size(); ++i) {
    if (checks[i].what != RateCheck::What::slot || checks[i].limit == 0) continue;
    const auto held = slots_.find(slot_name(checks[i]));
    if (held != slots_.end() && held->second >= checks[i].limit)
      return {.over = true, .check = i, .count = held->second};
  }
  const uint64_t now = now_seconds();
  const RateAnswer answer = counters_.ask(checks, now);
  if (answer.over) {
    const RateCheck& check = checks[answer.check];
    // Who only looks is nobody that the postmaster should hear of.
    const bool counts = check.what == RateCheck::What::take;
    if (counts && check.seconds == kRateDay && counters_.first_over_today(check, now)) {
      changed_ = true;
      rated_.alert(check);
    }
    return answer;
  }
  for (const RateCheck& check : checks) {
    if (check.what == RateCheck::What::take) changed_ = true;
    if (check.what != RateCheck::What::slot || client.slots.size() >= kRateChecks) continue;
    client.slots.push_back(slot_name(check));
    ++slots_[client.slots.back()];
  }
  return answer;
}

void RatedService::close(int fd) {
  const auto client = clients_.find(fd);
  for (const std::string& name : client->second.slots) {
    const auto held = slots_.find(name);
    if (--held->second == 0) slots_.erase(held);
  }
  clients_.erase(client);  // which takes it out of the epoll set, too
}

void RatedService::tick() {
  next_tick_ = now_milliseconds() + kTickMilliseconds;
  reap();
  counters_.sweep(now_seconds(), kSweepTicks);
  if (changed_ && saving_ == 0 && now_milliseconds() >= next_save_) save_in_child();
}

// The child has the table as it is now, and all the time that the disk needs.
void RatedService::save_in_child() {
  next_save_ = now_milliseconds() + kSaveSeconds * 1000;
  const pid_t pid = ::fork();
  if (pid < 0) return log_warning("write the counters", os_failure("fork", errno));
  if (pid == 0) {
    // What is older than the table of our successor must not take its place.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != rated_pid_) ::_exit(111);
    ::close_range(3, ~0U, 0);  // a client must see our end although the child goes on
    const Result<void> saved = save_counters(counters_, rated_.state_file);
    if (!saved) log_warning("write the counters", saved.failure());
    ::_exit(saved ? 0 : 111);
  }
  saving_ = pid;
  changed_ = false;
}

// What it writes is older than what is written last.
void RatedService::end_saving() {
  if (saving_ == 0) return;
  ::kill(saving_, SIGKILL);
  while (::waitpid(saving_, nullptr, 0) < 0 && errno == EINTR) continue;
}

void RatedService::reap() {
  int status = 0;
  for (pid_t pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
    if (pid != saving_) continue;
    saving_ = 0;
    if (status != 0) changed_ = true;
  }
}

}  // namespace

int serve_rates(int listening, const ServeOptions& options, const RatedOptions& rated,
                MemoryCounters& counters) {
  const sigset_t while_waiting = catch_signals({SIGTERM, SIGINT, SIGHUP, SIGCHLD});
  RatedService service(listening, options, rated, counters);
  if (!service.begin()) return 111;
  service.run(while_waiting);
  service.end_saving();
  Result<void> saved = save_counters(counters, rated.state_file);
  if (!saved) log_warning("write the counters", saved.failure());
  return saved ? 0 : 111;
}

}  // namespace postern
