#include "local/maildir_quota.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <memory>
#include <vector>

#include "lib/fd.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr const char* kFileName = "maildirsize";
constexpr int64_t kStaleSeconds = 15 * 60;  // Maildir++: an older "full" is not believed
constexpr uint64_t kLargest = uint64_t{1} << 60;

std::optional<uint64_t> unit_of(char c) {
  switch (c) {
    case 'S':
      return 1;
    case 'K':
      return uint64_t{1} << 10;
    case 'M':
      return uint64_t{1} << 20;
    case 'G':
      return uint64_t{1} << 30;
    default:
      return std::nullopt;
  }
}

std::optional<int64_t> parse_signed(std::string_view text) {
  const bool negative = text.starts_with('-');
  const std::optional<uint64_t> number = parse_number(text.substr(negative ? 1 : 0));
  if (!number || *number > kLargest) return std::nullopt;
  const auto value = static_cast<int64_t>(*number);
  return negative ? -value : value;
}

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

// "name" below an open directory; never through a symbolic link.
Directory open_below(int at, const char* name) {
  Fd fd{::openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
  if (!fd) return nullptr;
  Directory directory{::fdopendir(fd.get())};
  if (directory) (void)fd.release();
  return directory;
}

struct Count {
  Usage usage;
  std::vector<int64_t> changes;  // mtime in nanoseconds of each directory that was counted, in their order
  bool only_changes = false;     // look at the directories alone
};

Result<void> count_messages(int folder, const char* part, Count& count) {
  const Directory directory = open_below(folder, part);
  if (!directory)
    return errno == ENOENT || errno == ENOTDIR || errno == ELOOP
               ? Result<void>()
               : Result<void>(os_failure("count a Maildir", errno));
  const int fd = ::dirfd(directory.get());
  struct stat status {};
  if (::fstat(fd, &status) < 0) return os_failure("count a Maildir", errno);
  count.changes.push_back(int64_t{status.st_mtim.tv_sec} * 1000000000 + status.st_mtim.tv_nsec);
  if (count.only_changes) return {};
  errno = 0;
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string_view name = entry->d_name;
    if (name.starts_with('.') || is_trashed(name)) continue;
    std::optional<uint64_t> bytes = size_in_name(name);
    if (!bytes) {
      if (::fstatat(fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0) {
        if (errno == ENOENT) continue;  // read or moved meanwhile
        return os_failure("count a Maildir", errno);
      }
      bytes = static_cast<uint64_t>(status.st_size);
    }
    count.usage.bytes += static_cast<int64_t>(std::min(*bytes, kLargest >> 20));
    count.usage.messages++;
    errno = 0;
  }
  if (errno != 0) return os_failure("count a Maildir", errno);
  return {};
}

Result<void> count_folder(int folder, Count& count) {
  for (const char* part : {"new", "cur"}) {
    if (Result<void> counted = count_messages(folder, part, count); !counted) return counted;
  }
  return {};
}

// The Maildir and its folders (.NAME/), but .Trash.
Result<Count> count_all(int maildir, bool only_changes = false) {
  Count count{.usage = {}, .changes = {}, .only_changes = only_changes};
  if (Result<void> counted = count_folder(maildir, count); !counted) return counted.failure();
  const Directory top = open_below(maildir, ".");
  if (!top) return os_failure("count a Maildir", errno);
  while (const dirent* entry = ::readdir(top.get())) {
    const std::string_view name = entry->d_name;
    if (!name.starts_with('.') || name == "." || name == ".." || name == ".Trash") continue;
    const Fd folder{::openat(maildir, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
    if (!folder) continue;
    if (Result<void> counted = count_folder(folder.get(), count); !counted) return counted.failure();
  }
  return count;
}

// Counted anew and written down, unless messages came or went meanwhile: then the next delivery counts again.
Result<Usage> recount(int maildir, const Quota& quota) {
  Result<Count> count = count_all(maildir);
  if (!count) return count.failure();
  const std::string temporary_name =
      "tmp/" + std::to_string(now_microseconds()) + ".P" + std::to_string(::getpid()) + "." + kFileName;
  const Fd file{
      ::openat(maildir, temporary_name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)};
  if (!file) return os_failure("make maildirsize", errno);
  const std::string text = quota_text(quota) + "\n" + std::to_string(count->usage.bytes) + " " +
                           std::to_string(count->usage.messages) + "\n";
  Result<void> wrote = write_all(file.get(), text, "write maildirsize");
  if (wrote && ::renameat(maildir, temporary_name.c_str(), maildir, kFileName) < 0)
    wrote = os_failure("put maildirsize in place", errno);
  if (!wrote) {
    ::unlinkat(maildir, temporary_name.c_str(), 0);
    return wrote.failure();
  }
  Result<Count> again = count_all(maildir, true);
  if (!again) return again.failure();
  if (again->changes != count->changes) ::unlinkat(maildir, kFileName, 0);
  return count->usage;
}

struct Known {
  CountedUsage counted;
  bool is_stale;
};

// What maildirsize says; nothing when it must be counted.
Result<std::optional<Known>> read_maildirsize(int maildir, const Quota& quota) {
  const Fd file{::openat(maildir, kFileName, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)};
  if (!file && (errno == ENOENT || errno == ELOOP)) return std::optional<Known>();
  if (!file) return os_failure("open maildirsize", errno);
  struct stat status {};
  if (::fstat(file.get(), &status) < 0) return os_failure("look at maildirsize", errno);
  if (!S_ISREG(status.st_mode) || status.st_size >= static_cast<off_t>(kMaildirSizeLimitBytes))
    return std::optional<Known>();
  Result<std::string> text = read_to_end(file.get(), kMaildirSizeLimitBytes, "read maildirsize");
  if (!text) return text.failure();
  const std::optional<CountedUsage> counted = parse_maildirsize(*text, quota);
  if (!counted) return std::optional<Known>();
  const int64_t age = static_cast<int64_t>(now_microseconds() / 1000000) - status.st_mtim.tv_sec;
  return std::optional<Known>(Known{*counted, age > kStaleSeconds});
}

}  // namespace

std::optional<Quota> parse_quota(std::string_view text) {
  Quota quota;
  for (std::string_view part : split(text, ',')) {
    if (part.empty()) return std::nullopt;
    uint64_t unit = 1;
    const bool messages = part.ends_with('C');
    if (messages) {
      part.remove_suffix(1);
    } else if (const std::optional<uint64_t> named = unit_of(part.back())) {
      unit = *named;
      part.remove_suffix(1);
    }
    const std::optional<uint64_t> number = parse_number(part);
    if (!number || *number > kLargest / unit) return std::nullopt;
    (messages ? quota.messages : quota.bytes) = *number * unit;
  }
  if (!quota.limits()) return std::nullopt;
  return quota;
}

std::string quota_text(const Quota& quota) {
  std::string text;
  if (quota.bytes != 0) text = std::to_string(quota.bytes) + "S";
  if (quota.messages != 0) text.append(text.empty() ? "" : ",").append(std::to_string(quota.messages) + "C");
  return text;
}

bool exceeds(const Quota& quota, const Usage& usage, uint64_t message_bytes) {
  const auto used = static_cast<uint64_t>(std::max<int64_t>(usage.bytes, 0));
  const auto held = static_cast<uint64_t>(std::max<int64_t>(usage.messages, 0));
  return (quota.bytes != 0 && (used > quota.bytes || message_bytes > quota.bytes - used)) ||
         (quota.messages != 0 && held >= quota.messages);
}

std::optional<CountedUsage> parse_maildirsize(std::string_view text, const Quota& quota) {
  if (text.size() >= kMaildirSizeLimitBytes || !text.ends_with('\n')) return std::nullopt;
  const std::vector<std::string_view> lines = split(text.substr(0, text.size() - 1), '\n');
  if (parse_quota(trim(lines.front())) != quota) return std::nullopt;
  CountedUsage counted;
  for (size_t i = 1; i < lines.size(); ++i) {
    const std::vector<std::string_view> parts = words(lines[i]);
    if (parts.size() != 2) return std::nullopt;
    const std::optional<int64_t> bytes = parse_signed(parts[0]);
    const std::optional<int64_t> messages = parse_signed(parts[1]);
    if (!bytes || !messages || __builtin_add_overflow(counted.usage.bytes, *bytes, &counted.usage.bytes) ||
        __builtin_add_overflow(counted.usage.messages, *messages, &counted.usage.messages))
      return std::nullopt;
    counted.lines++;
  }
  if (counted.usage.bytes < 0 || counted.usage.messages < 0) return std::nullopt;
  return counted;
}

std::optional<uint64_t> size_in_name(std::string_view name) {
  name = name.substr(0, name.find(':'));
  const size_t at = name.find(",S=");
  if (at == std::string_view::npos) return std::nullopt;
  name.remove_prefix(at + 3);
  return parse_number(name.substr(0, name.find(',')));
}

bool is_trashed(std::string_view name) {
  const size_t info = name.rfind(":2,");
  return info != std::string_view::npos && name.find('T', info) != std::string_view::npos;
}

Result<bool> has_room(const std::string& maildir, const Quota& quota, uint64_t message_bytes) {
  const Fd directory{::open(maildir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!directory) return os_failure("open the Maildir " + printable(maildir), errno);
  Result<std::optional<Known>> known = read_maildirsize(directory.get(), quota);
  if (!known) return known.failure();
  if (known->has_value()) {
    const Known& file = **known;
    if (!exceeds(quota, file.counted.usage, message_bytes)) return true;
    // One line is a fresh count, and it has not grown old.
    if (file.counted.lines <= 1 && !file.is_stale) return false;
  }
  Result<Usage> usage = recount(directory.get(), quota);
  if (!usage) return usage.failure();
  return !exceeds(quota, *usage, message_bytes);
}

Result<void> count_delivery(const std::string& maildir, uint64_t message_bytes) {
  const std::string path = maildir + kFileName;
  const Fd file{::open(path.c_str(), O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC)};
  if (!file && errno == ENOENT)
    return {};  // messages came while it was counted: the next delivery counts again
  if (!file) return os_failure("open " + printable(path), errno);
  return write_all(file.get(), std::to_string(message_bytes) + " 1\n", "write " + printable(path));
}

}  // namespace postern
