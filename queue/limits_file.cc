#include "queue/limits_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "lib/log.h"
#include "lib/text.h"
#include "lib/xtext.h"

namespace postern {

namespace {

constexpr size_t kFileLimitBytes = 64 * 1024 * 1024;
constexpr std::string_view kHead = "postern-limits 1 ";

// None: times of another run of the kernel cannot be told from ours.
std::string boot_id() {
  Result<std::string> id = read_file("/proc/sys/kernel/random/boot_id", 100);
  const std::string text{id ? trim(*id) : std::string_view()};
  return text.empty() ? "unknown" : text;
}

// When that file was last written, by our clock, which does not tell when another boot of the kernel was: as
// long ago as its time of change says, and not before this boot.
int64_t written_at(int file, int64_t now) {
  struct stat status {};
  if (::fstat(file, &status) < 0) return now;
  const auto wall = static_cast<int64_t>(now_microseconds() / 1000);
  const int64_t age = wall - static_cast<int64_t>(status.st_mtime) * 1000;
  return std::clamp<int64_t>(now - age, 0, now);
}

// False: no line of ours.
bool replay(std::string_view line, int64_t now, std::map<std::string, RecipientWindow>& windows) {
  const std::vector<std::string_view> fields = words(line);
  const bool has_time = !fields.empty() && fields[0] == "-";
  if (fields.size() != (has_time ? 4U : 3U)) return false;
  const std::optional<uint64_t> count = parse_number(fields[1]);
  const std::optional<uint64_t> time = has_time ? parse_number(fields[2]) : 0;
  if (!count || !time) return false;
  RecipientWindow& window = windows[decode_xtext(fields.back())];
  if (fields[0] == "+") {
    window.begin(*count);
  } else if (fields[0] == "x") {
    window.give_back(*count);
  } else if (has_time) {
    window.give_back(*count);
    // Rounded up it is ahead of the clock by a step, at most a minute.
    window.add_ended(*count,
                     std::min(static_cast<int64_t>(std::min<uint64_t>(*time, INT64_MAX)), now + 60000));
  } else {
    return false;
  }
  return true;
}

}  // namespace

LimitsFile::Left LimitsFile::read(int64_t now) const {
  Left left;
  const Fd file{::open(path_.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file && errno == ENOENT) return left;
  Result<std::string> text =
      file ? read_to_end(file.get(), kFileLimitBytes, "read " + path_) : os_failure("open " + path_, errno);
  if (!text) {
    log_warning("know what was sent before, taking every limit as reached", text.failure());
    left.full_since = now;
    return left;
  }
  bool lost = false;
  bool in_order = false;
  bool head = false;
  bool same_boot = false;
  std::string_view rest = *text;
  for (size_t end = 0; (end = rest.find('\n')) != std::string_view::npos; rest.remove_prefix(end + 1)) {
    const std::string_view line = rest.substr(0, end);
    if (!std::exchange(head, true)) {
      lost = !line.starts_with(kHead);
      same_boot = line == std::string(kHead) + boot_id() && !line.ends_with(" unknown");
    } else if (!(in_order = line == ".") && !replay(line, same_boot ? now : 0, left.windows)) {
      lost = true;
    }
  }
  // A line that was cut short was never acted upon: it is written before.
  lost = lost || (!same_boot && !in_order);
  const int64_t written = same_boot ? now : written_at(file.get(), now);
  if (lost) {
    left.full_since = written;
    log_warning("know all that was sent before", path_ + " is not whole; every limit counts as reached " +
                                                     std::to_string((now - written) / 60000) +
                                                     " minutes ago, for the minutes of its window");
  }
  if (same_boot) return left;
  // Their times mean nothing here.
  for (auto& [site, window] : left.windows) {
    const size_t counted = window.counted();
    window = {};
    window.add_ended(counted, written);
  }
  return left;
}

Result<void> LimitsFile::rewrite(const RecipientWindows& windows, bool ended) {
  std::string text = std::string(kHead) + boot_id() + "\n";
  for (const auto& [site, window] : windows) {
    const std::string name = encode_xtext(site) + "\n";
    const size_t counted = window->out() + window->ended_sum();
    if (counted > 0) text += "+ " + std::to_string(counted) + " " + name;
    for (const auto& [when, recipients] : window->ended())
      text += "- " + std::to_string(recipients) + " " + std::to_string(when) + " " + name;
  }
  if (ended) text += ".\n";
  const std::string fresh = path_ + ".new";
  Fd file{::open(fresh.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
  if (!file) return os_failure("open " + fresh, errno);
  if (Result<void> wrote = write_all(file.get(), text, "write " + fresh); !wrote) return wrote;
  if (ended && ::fsync(file.get()) < 0) return os_failure("write " + fresh, errno);
  if (::rename(fresh.c_str(), path_.c_str()) < 0) return os_failure("rename " + fresh, errno);
  file_ = std::move(file);
  bytes_ = 0;
  said_ = false;
  return {};
}

bool LimitsFile::append(const std::string& line) {
  // Begun with what is known, not in the middle.
  if (!file_) return false;
  Result<void> wrote = write_all(file_.get(), line, "write " + path_);
  bytes_ += line.size();
  if (!wrote && !said_) log_warning("count recipients, holding back what has a limit", wrote.failure());
  said_ = said_ || !wrote;
  return wrote.ok();
}

bool LimitsFile::note_out(const std::string& site, size_t recipients) {
  return append("+ " + std::to_string(recipients) + " " + encode_xtext(site) + "\n");
}

void LimitsFile::note_end(const std::string& site, size_t recipients, int64_t when) {
  (void)append("- " + std::to_string(recipients) + " " + std::to_string(when) + " " + encode_xtext(site) +
               "\n");
}

void LimitsFile::note_back(const std::string& site, size_t recipients) {
  (void)append("x " + std::to_string(recipients) + " " + encode_xtext(site) + "\n");
}

}  // namespace postern
