#include "queue/attempts.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "lib/fd.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kReplyLimitBytes = 1000;
constexpr uint64_t kMostTries = 1000000;

// What stands behind that many fields, blanks and all.
std::string rest_from(std::string_view line, std::string_view field) {
  return std::string(line.substr(static_cast<size_t>(field.data() - line.data())));
}

unsigned counted(uint64_t tries) {
  return static_cast<unsigned>(std::min(tries, kMostTries));
}

void parse_recipient_line(std::string_view line, const std::vector<std::string_view>& fields,
                          Attempts& attempts) {
  const std::optional<uint64_t> rid = fields.size() < 2 ? std::nullopt : parse_number(fields[1]);
  if (!rid) return;
  if (line.starts_with("r ") && fields.size() >= 3) attempts.replies[*rid] = rest_from(line, fields[2]);
  if (line.starts_with("w ") && fields.size() == 3) {
    if (const std::optional<uint64_t> time = parse_number(fields[2])) {
      Warnings& warnings = attempts.warned[*rid];
      warnings.count += 1;
      warnings.last = *time;
    }
  }
  if (line.starts_with("a ") && fields.size() == 5 && fields[4] == ".") {
    const std::optional<uint64_t> tries = parse_number(fields[2]);
    const std::optional<uint64_t> next = parse_number(fields[3]);
    if (tries && next) attempts.turns[*rid] = {counted(*tries), *next};
  }
  if (line.starts_with("d ") && fields.size() >= 3) {
    attempts.untold[*rid] = {std::string(fields[2]), fields.size() > 3 ? rest_from(line, fields[3]) : ""};
  }
  if (line.starts_with("n ") && fields.size() == 3 && fields[2] == ".") attempts.untold.erase(*rid);
}

void parse_line(std::string_view line, Attempts& attempts) {
  const std::vector<std::string_view> fields = words(line);
  if (line.starts_with("t ") && (fields.size() == 4 || fields.size() == 5)) {
    const std::optional<uint64_t> tries = parse_number(fields[1]);
    const std::optional<uint64_t> last = parse_number(fields[2]);
    const std::optional<uint64_t> next = parse_number(fields[3]);
    const std::optional<uint64_t> flushes = fields.size() == 5 ? parse_number(fields[4]) : 0;
    if (!tries || !last || !next || !flushes) return;
    attempts.tries = counted(*tries);
    attempts.last = *last;
    attempts.next = *next;
    attempts.flushes = *flushes;
  } else {
    parse_recipient_line(line, fields, attempts);
  }
}

}  // namespace

Turn Attempts::turn_of(size_t rid) const {
  const auto found = turns.find(rid);
  return found == turns.end() ? Turn{tries, next} : found->second;
}

Attempts parse_attempts(std::string_view text) {
  Attempts attempts;
  attempts.bytes = text.size();
  for (size_t end = 0; (end = text.find('\n')) != std::string_view::npos; text.remove_prefix(end + 1)) {
    parse_line(text.substr(0, end), attempts);
  }
  return attempts;
}

Result<std::optional<std::string>> read_defer_log(const std::string& path) {
  const Fd file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file && errno == ENOENT) return std::optional<std::string>();
  if (!file) return os_failure("open " + path, errno);
  Result<std::string> text = read_to_end(file.get(), kDeferLogLimitBytes, "read " + path);
  if (!text) return temporary(text.failure().text);
  return std::optional(std::move(*text));
}

Attempts read_attempts(const std::string& path) {
  Result<std::optional<std::string>> text = read_defer_log(path);
  return text && *text ? parse_attempts(**text) : Attempts{};
}

std::string recipient_lines(const std::map<size_t, std::string>& replies,
                            const std::map<size_t, Warnings>& warned) {
  std::string lines;
  for (const auto& [rid, reply] : replies) lines += "r " + std::to_string(rid) + " " + reply + "\n";
  for (const auto& [rid, warnings] : warned) {
    const std::string line = "w " + std::to_string(rid) + " " + std::to_string(warnings.last) + "\n";
    for (unsigned i = 0; i < warnings.count; ++i) lines += line;
  }
  return lines;
}

std::string turn_lines(const std::map<size_t, Turn>& turns) {
  std::string lines;
  for (const auto& [rid, turn] : turns) {
    lines += "a " + std::to_string(rid) + " " + std::to_string(turn.tries) + " " + std::to_string(turn.next) +
             " .\n";
  }
  return lines;
}

std::string success_lines(const std::map<size_t, Success>& successes) {
  std::string lines;
  for (const auto& [rid, success] : successes) {
    lines += "d " + std::to_string(rid) + " " + success.action + " " + success.text + "\n";
  }
  return lines;
}

std::string pass_line(const Attempts& pass) {
  std::string line =
      "t " + std::to_string(pass.tries) + " " + std::to_string(pass.last) + " " + std::to_string(pass.next);
  if (pass.flushes > 0) line += " " + std::to_string(pass.flushes);
  return line + "\n";
}

Result<void> append_attempt(const std::string& path, const Attempts& pass, const std::set<size_t>& told,
                            const std::map<size_t, std::string>& noted) {
  const Fd file{::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600)};
  if (!file) return os_failure("open " + path, errno);
  std::map<size_t, std::string> replies;
  for (const auto& [rid, reply] : pass.replies) {
    std::string text = printable(reply, kReplyLimitBytes);
    const auto before = noted.find(rid);
    if (before == noted.end() || before->second != text) replies[rid] = std::move(text);
  }
  std::string text = "\n" + recipient_lines(replies, pass.warned) + turn_lines(pass.turns);
  for (const size_t rid : told) text += "n " + std::to_string(rid) + " .\n";
  text += pass_line(pass);
  // Held until the time is set, so that no order comes between; postern-qctl sets a time of its own behind
  // it.
  const bool alone = ::flock(file.get(), LOCK_EX | LOCK_NB) == 0;
  Result<size_t> size = file_size(file.get(), "look at " + path);
  const bool all_known = alone && size && *size == pass.bytes;
  Result<void> wrote = write_all(file.get(), text, "write " + path);
  if (!wrote) return wrote;
  // Where this is lost, the message is opened too early, and put back.
  const uint64_t next = all_known ? std::min<uint64_t>(pass.next, INT64_MAX) : 0;
  const timespec times[2] = {{.tv_sec = 0, .tv_nsec = UTIME_OMIT},
                             {.tv_sec = static_cast<time_t>(next), .tv_nsec = 0}};
  ::futimens(file.get(), times);
  return {};
}

Result<size_t> append_successes(const std::string& path, const std::map<size_t, Success>& successes) {
  const Fd file{::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600)};
  if (!file) return os_failure("open " + path, errno);
  std::map<size_t, Success> safe = successes;
  for (auto& [rid, success] : safe) success.text = printable(success.text, kReplyLimitBytes);
  const std::string text = "\n" + success_lines(safe);
  if (Result<void> wrote = write_all(file.get(), text, "write " + path); !wrote) return wrote.failure();
  return text.size();
}

uint64_t wait_after(const RetryProfile& profile, unsigned tries) {
  uint64_t wait = std::max<uint64_t>(1, profile.first_wait);  // never without a pause
  for (unsigned i = 2; i < tries; ++i) {
    if (wait > profile.longest_wait / 2) return std::max<uint64_t>(1, profile.longest_wait);
    wait *= 2;
  }
  return std::max<uint64_t>(1, std::min(wait, profile.longest_wait));
}

}  // namespace postern
