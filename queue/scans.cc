#include "queue/scans.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "lib/child.h"
#include "lib/log.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr int64_t kDeadlineMilliseconds = 300000;  // above what scanq allows itself
constexpr size_t kAnswerLimitBytes = 4096;

// The exit code, a blank, the reason.
std::string serialise(const QueueAnswer& answer) {
  return std::to_string(answer.exit_code) + " " + answer.reason;
}

QueueAnswer parse(std::string_view bytes) {
  const size_t blank = bytes.find(' ');
  const std::optional<uint64_t> code = parse_number(bytes.substr(0, blank));
  if (blank == std::string_view::npos || !code || *code > 255) return {.exit_code = 81, .reason = {}};
  return {.exit_code = static_cast<int>(*code), .reason = std::string(bytes.substr(blank + 1))};
}

}  // namespace

bool Scans::start(uint64_t mid, int message, const Envelope& envelope, const Environment& environment) {
  const std::string what = "scan MID " + std::to_string(mid);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) < 0) {
    log_warning(what, os_failure("make a pipe", errno));
    return false;
  }
  Fd reading{ends[0]};
  const Fd writing{ends[1]};
  if (!poller_.add(reading.get())) {
    log_warning(what, os_failure("follow a scan", errno));
    return false;
  }
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) {
    log_warning(what, os_failure("fork", errno));
    return false;  // closing the pipe takes it out of the poller
  }
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(0);
    // A path form is waited for, and starts with no signal held back.
    ::signal(SIGCHLD, SIG_DFL);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    const QueueAnswer answer =
        submit(program_, message, envelope, environment, now_milliseconds() + kDeadlineMilliseconds);
    (void)write_all(writing.get(), serialise(answer), "pass the answer on");
    ::_exit(0);
  }
  const int fd = reading.get();
  running_.emplace(fd, Running{std::move(reading), mid});
  return true;
}

Scans::Ended Scans::take(int fd) {
  const auto found = running_.find(fd);
  Ended ended{.mid = found->second.mid, .answer = {}};
  Result<std::string> said = read_to_end(fd, kAnswerLimitBytes, "read the answer");
  ended.answer = parse(said ? *said : std::string());
  running_.erase(found);
  return ended;
}

bool Scans::has(uint64_t mid) const {
  return std::any_of(running_.begin(), running_.end(),
                     [&](const auto& entry) { return entry.second.mid == mid; });
}

}  // namespace postern
