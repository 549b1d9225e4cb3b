#include "queue/attempts.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "lib/fd.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kLimitBytes = 64 * 1024 * 1024;
constexpr size_t kReplyLimitBytes = 1000;

void parse_line(std::string_view line, Attempts& attempts) {
  const std::vector<std::string_view> fields = words(line);
  if (line.starts_with("t ") && fields.size() == 4) {
    const std::optional<uint64_t> tries = parse_number(fields[1]);
    const std::optional<uint64_t> last = parse_number(fields[2]);
    const std::optional<uint64_t> next = parse_number(fields[3]);
    if (!tries || !last || !next) return;
    attempts.tries = static_cast<unsigned>(std::min<uint64_t>(*tries, 1000000));
    attempts.last = *last;
    attempts.next = *next;
  } else if (line.starts_with("r ") && fields.size() >= 3) {
    if (const std::optional<uint64_t> rid = parse_number(fields[1])) {
      attempts.replies[*rid] = line.substr(static_cast<size_t>(fields[2].data() - line.data()));
    }
  }
}

}  // namespace

Attempts parse_attempts(std::string_view text) {
  Attempts attempts;
  for (size_t end = 0; (end = text.find('\n')) != std::string_view::npos; text.remove_prefix(end + 1)) {
    parse_line(text.substr(0, end), attempts);
  }
  return attempts;
}

Attempts read_attempts(const std::string& path) {
  Result<std::string> text = read_file(path, kLimitBytes);
  return text ? parse_attempts(*text) : Attempts{};
}

Result<void> append_attempt(const std::string& path, const std::map<size_t, std::string>& replies,
                            const Attempts& now) {
  const Fd file{::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600)};
  if (!file) return os_failure("open " + path, errno);
  std::string text;
  for (const auto& [rid, reply] : replies) {
    text += "r " + std::to_string(rid) + " " + printable(reply, kReplyLimitBytes) + "\n";
  }
  text += "t " + std::to_string(now.tries) + " " + std::to_string(now.last) + " " + std::to_string(now.next) +
          "\n";
  Result<void> wrote = write_all(file.get(), text, "write " + path);
  if (!wrote) return wrote;
  // Where this is lost, the message is opened too early, and put back.
  const timespec next{.tv_sec = static_cast<time_t>(std::min<uint64_t>(now.next, INT64_MAX)), .tv_nsec = 0};
  const timespec times[2] = {{.tv_sec = 0, .tv_nsec = UTIME_OMIT}, next};
  ::futimens(file.get(), times);
  return {};
}

uint64_t wait_after(const RetryProfile& profile, unsigned tries) {
  uint64_t wait = std::max<uint64_t>(1, profile.first_wait);  // never without a pause
  for (unsigned i = 1; i < tries; ++i) {
    if (wait > profile.longest_wait / 2) return std::max<uint64_t>(1, profile.longest_wait);
    wait *= 2;
  }
  return std::max<uint64_t>(1, std::min(wait, profile.longest_wait));
}

}  // namespace postern
