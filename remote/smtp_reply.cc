#include "remote/smtp_reply.h"

#include <algorithm>
#include <utility>

#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kLineLimitBytes = 2048;  // RFC 5321 says 512; real servers say more
constexpr size_t kLinesLimit = 128;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

Failure malformed(std::string_view line, std::string_view why) {
  return temporary("malformed reply \"" + printable(line, 80) + "\": " + std::string(why), 0, "4.5.0");
}

// "5.1.1" at the front of a line: class, subject and detail of RFC 3463. Its length, 0 when there is none.
size_t status_length(std::string_view line) {
  size_t at = 0;
  for (size_t part = 0; part < 3; ++part) {
    const size_t begin = at;
    while (at < line.size() && is_digit(line[at]) && at - begin < 3) ++at;
    if (at == begin || (part == 0 && at - begin != 1)) return 0;
    if (part == 2) break;
    if (at == line.size() || line[at] != '.') return 0;
    ++at;
  }
  return at == line.size() || line[at] == ' ' ? at : 0;
}

// The status of a line if its class is that of the code.
std::string_view agreeing_status(std::string_view line, unsigned code) {
  const size_t length = status_length(line);
  if (length == 0 || static_cast<unsigned>(line.front() - '0') != code / 100) return {};
  return line.substr(0, length);
}

}  // namespace

std::string ServerReply::status() const {
  const std::string_view given = lines.empty() ? std::string_view() : agreeing_status(lines.front(), code);
  return given.empty() ? std::to_string(code / 100) + ".0.0" : std::string(given);
}

std::string ServerReply::text(size_t limit) const {
  std::string text;
  for (std::string_view line : lines) {
    line.remove_prefix(agreeing_status(line, code).size());
    line = trim(line);
    if (line.empty()) continue;
    if (!text.empty()) text += ' ';
    text += line.substr(0, limit);
    if (text.size() >= limit) break;
  }
  if (text.size() > limit) text.resize(limit);
  return text;
}

Result<size_t> ReplyParser::feed(std::string_view bytes) {
  size_t taken = 0;
  while (taken < bytes.size() && !complete_) {
    const std::string_view rest = bytes.substr(taken);
    const size_t end = rest.find('\n');
    const std::string_view part = rest.substr(0, end);
    if (line_.size() + part.size() > kLineLimitBytes)
      return malformed(line_.empty() ? part : line_, "line too long");
    line_ += part;
    taken += part.size();
    if (end == std::string_view::npos) break;
    ++taken;
    if (Result<void> ended = end_line(); !ended) return ended.failure();
  }
  return taken;
}

Result<void> ReplyParser::end_line() {
  std::string_view line = line_;
  if (line.ends_with('\r')) line.remove_suffix(1);
  if (line.size() < 3 || line[0] < '2' || line[0] > '5' || !is_digit(line[1]) || !is_digit(line[2])) {
    return malformed(line, "no reply code");
  }
  if (line.size() > 3 && line[3] != ' ' && line[3] != '-') return malformed(line, "no blank behind the code");
  const auto code = static_cast<unsigned>(*parse_number(line.substr(0, 3)));
  if (reply_.lines.empty()) reply_.code = code;
  if (code != reply_.code) return malformed(line, "another code than the line before");
  if (reply_.lines.size() == kLinesLimit) return malformed(line, "too many lines");
  reply_.lines.emplace_back(line.substr(std::min<size_t>(4, line.size())));
  complete_ = line.size() == 3 || line[3] == ' ';
  line_.clear();
  return {};
}

ServerReply ReplyParser::take() {
  complete_ = false;
  return std::exchange(reply_, {});
}

}  // namespace postern
