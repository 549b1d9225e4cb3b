#include "queue/defer_log.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "lib/mid.h"
#include "queue/attempts.h"
#include "queue/orders.h"

namespace postern {

namespace {

constexpr int kOpenTries = 100;

bool named_so(int fd, const std::string& path) {
  struct stat opened {};
  struct stat named {};
  return ::fstat(fd, &opened) == 0 && ::stat(path.c_str(), &named) == 0 && opened.st_ino == named.st_ino &&
         opened.st_dev == named.st_dev;
}

// Written and synced; the time of change is that of the file which it is to replace.
Result<void> write_copy(const std::string& path, std::string_view text, const struct stat& like) {
  const Fd file{::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
  if (!file) return os_failure("create " + path, errno);
  Result<void> wrote = write_all(file.get(), text, "write " + path);
  if (!wrote) return wrote;
  const timespec times[2] = {{.tv_sec = 0, .tv_nsec = UTIME_OMIT}, like.st_mtim};
  ::futimens(file.get(), times);
  return fsync_file(file.get(), "fsync " + path);  // it holds orders that were said to be durable
}

}  // namespace

Result<Fd> lock_defer_log(const std::string& path) {
  for (int tries = 0; tries < kOpenTries; ++tries) {
    Fd file{::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600)};
    if (!file) return os_failure("open " + path, errno);
    int locked = 0;
    while ((locked = ::flock(file.get(), LOCK_EX)) < 0 && errno == EINTR) {
    }
    if (locked < 0) return os_failure("lock " + path, errno);
    if (named_so(file.get(), path)) return file;
  }
  return temporary("lock " + path + ": it is replaced again and again");
}

std::string compact_log(std::string_view text) {
  Attempts attempts = parse_attempts(text);
  std::string lines = "\n";
  uint64_t flushes = 0;
  uint64_t releases = 0;
  for (size_t end = 0; (end = text.find('\n')) != std::string_view::npos; text.remove_prefix(end + 1)) {
    const std::optional<Order> order = parse_order(text.substr(0, end));
    if (!order) continue;
    if (order->verb == Verb::flush) {
      ++flushes;
    } else {
      releases += order->verb == Verb::release ? 1 : 0;
      lines.append(text.substr(0, end + 1));
    }
  }
  const bool unmet = flushes + releases > attempts.flushes;
  if (unmet && flushes > 0) {
    lines += order_line({.verb = Verb::flush, .time = 0, .who = "-", .rids = {{0, 0}}, .route = {}});
  }
  const bool passed = attempts.tries > 0 || attempts.next > 0;
  // Releases stay: those that a pass has met are as many as there are, or one is not met yet.
  attempts.flushes = !unmet || flushes > 0 ? releases : std::min(attempts.flushes, releases - 1);
  lines += recipient_lines(attempts.replies, attempts.warned);
  lines += turn_lines(attempts.turns);
  lines += success_lines(attempts.untold);
  if (passed) lines += pass_line(attempts);
  return lines;
}

Result<void> compact_defer_log(const Spool& spool, uint64_t mid) {
  const std::string path = spool.path("defer", mid);
  const Fd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file) return os_failure("open " + path, errno);
  if (::flock(file.get(), LOCK_EX | LOCK_NB) < 0) {
    return errno == EWOULDBLOCK ? Result<void>() : os_failure("lock " + path, errno);
  }
  struct stat status {};
  if (::fstat(file.get(), &status) < 0) return os_failure("look at " + path, errno);
  Result<std::string> text = read_to_end(file.get(), kDeferLogLimitBytes, "read " + path);
  if (!text) return text.failure();
  const std::string compacted = compact_log(*text);
  if (compacted.size() > text->size() / 2) return {};
  const std::string copy = spool.path("tmp", make_mid());
  Result<void> replaced = write_copy(copy, compacted, status);
  if (replaced && ::rename(copy.c_str(), path.c_str()) < 0) replaced = os_failure("rename " + copy, errno);
  if (!replaced) ::unlink(copy.c_str());
  return replaced;
}

}  // namespace postern
