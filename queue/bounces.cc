#include "queue/bounces.h"

#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "lib/child.h"
#include "lib/log.h"
#include "lib/mid.h"
#include "queue/bounce_request.h"

namespace postern {

namespace {

constexpr size_t kAtOnce = 20;

Result<pid_t> start_process(const std::string& request, int message) {
  Result<Fd> records = memory_file_with("bounce", request);
  if (!records) return records.failure();
  ChildOptions options;
  options.arguments = {"postern-bounce"};
  options.environment = Environment::of_process();
  options.fds = {{message, 0}, {records->get(), 3}};
  return start_child(options);
}

}  // namespace

void Bounces::add(const BounceRequest& request, std::vector<size_t> rids, int message) {
  waiting_.push_back({request.mid, std::move(rids), serialise_bounce_request(request), message});
}

std::vector<Bounces::Ended> Bounces::start_waiting() {
  std::vector<Ended> failed;
  for (; !waiting_.empty() && running_.size() < kAtOnce; waiting_.pop_front()) {
    Waiting& next = waiting_.front();
    if (!start(next)) failed.push_back({.mid = next.mid, .rids = std::move(next.rids), .told = false});
  }
  return failed;
}

bool Bounces::start(Waiting& waiting) {
  const std::string mid = mid_text(waiting.mid);
  Result<pid_t> pid = start_process(waiting.records, waiting.message);
  if (!pid) {
    log_warning("bounce " + mid, pid.failure());
    return false;
  }
  Fd process{static_cast<int>(::syscall(SYS_pidfd_open, *pid, 0))};
  const int fd = process.get();
  if (fd < 0 || !poller_.add(fd)) {
    log_warning("follow the bounce of " + mid, os_failure("epoll_ctl", errno));
    ::kill(*pid, SIGKILL);
    while (::waitpid(*pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    return false;
  }
  running_.emplace(fd, Running{std::move(process), *pid, waiting.mid, std::move(waiting.rids)});
  return true;
}

Bounces::Ended Bounces::take(int fd) {
  const auto found = running_.find(fd);
  int status = 0;
  while (::waitpid(found->second.pid, &status, 0) < 0 && errno == EINTR) {
  }
  Ended ended{.mid = found->second.mid,
              .rids = std::move(found->second.rids),
              .told = WIFEXITED(status) && WEXITSTATUS(status) == 0};
  running_.erase(found);
  return ended;
}

}  // namespace postern
