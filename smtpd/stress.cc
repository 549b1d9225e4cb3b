#include "smtpd/stress.h"

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <string_view>
#include <vector>

#include "lib/text.h"

namespace postern::smtpd {

namespace {

constexpr const char* kVariable = "POSTERN_SMTPD_STRESS";  // from us to ourselves: the two numbers
constexpr int64_t kLeastMilliseconds = 1000;
constexpr int64_t kFullPart = 5;

bool is_readable(int fd) {
  pollfd entry{.fd = fd, .events = POLLIN, .revents = 0};
  return fd >= 0 && ::poll(&entry, 1, 0) == 1;
}

bool keep_open(int fd, bool keep) {
  return ::fcntl(fd, F_SETFD, keep ? 0 : FD_CLOEXEC) == 0;
}

int number_of(std::string_view word) {
  return static_cast<int>(std::min<uint64_t>(parse_number(word).value_or(INT32_MAX), INT32_MAX));
}

}  // namespace

Stress stress_of(Stress now, size_t taken, size_t places, size_t many_from) {
  const size_t tenth = std::max<size_t>(1, places / 10);
  const auto holds = [&](Stress level, size_t from) {
    return now >= level ? taken + tenth > from : taken >= from;
  };
  if (holds(Stress::full, places)) return Stress::full;
  return holds(Stress::many, many_from) ? Stress::many : Stress::none;
}

Result<StressSign> StressSign::open(int64_t milliseconds) {
  StressSign sign;
  sign.milliseconds_ = milliseconds;
  if (const char* said = ::getenv(kVariable)) {
    const std::string text = said;
    ::unsetenv(kVariable);
    const std::vector<std::string_view> parts = words(text);
    for (size_t i = 0; parts.size() == sign.fds_.size() && i < parts.size(); ++i) {
      const int fd = number_of(parts[i]);
      if (fd > 3 && keep_open(fd, false)) sign.fds_[i].reset(fd);
    }
    if (sign.fds_[0] && sign.fds_[1]) return sign;
  }
  for (Fd& fd : sign.fds_) {
    fd.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!fd) return os_failure("make an event descriptor", errno);
  }
  return sign;
}

int64_t StressSign::patience(Stress level) const {
  return level == Stress::full ? std::max(milliseconds_ / kFullPart, kLeastMilliseconds) : milliseconds_;
}

void StressSign::say(Stress level) {
  for (const Stress each : {Stress::many, Stress::full}) {
    const int fd = descriptor(each);
    if (fd < 0 || is_readable(fd) == (level >= each)) continue;
    uint64_t one = 1;
    (void)!(level >= each ? ::write(fd, &one, sizeof one) : ::read(fd, &one, sizeof one));
  }
}

Stress StressSign::level() const {
  if (is_readable(descriptor(Stress::full))) return Stress::full;
  return is_readable(descriptor(Stress::many)) ? Stress::many : Stress::none;
}

int StressSign::descriptor(Stress level) const {
  return level == Stress::none ? -1 : fds_[level == Stress::full ? 1 : 0].get();
}

void StressSign::keep_over_exec(bool keep) const {
  for (const Fd& fd : fds_) (void)keep_open(fd.get(), keep);
  if (!keep) {
    ::unsetenv(kVariable);
    return;
  }
  const std::string numbers = std::to_string(fds_[0].get()) + " " + std::to_string(fds_[1].get());
  ::setenv(kVariable, numbers.c_str(), 1);
}

}  // namespace postern::smtpd
