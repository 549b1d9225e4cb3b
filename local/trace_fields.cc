#include "local/trace_fields.h"

#include <algorithm>
#include <array>

#include "lib/fd.h"
#include "lib/local_part.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kBufferBytes = 65536;

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

std::string without_controls(std::string_view text) {
  std::string clean(text);
  std::replace_if(clean.begin(), clean.end(), is_control, '_');
  return clean;
}

// Looks for one line while the header passes by in pieces; never holds more of a line than could match.
class HeaderSearch {
 public:
  explicit HeaderSearch(std::string_view wanted) : wanted_(wanted) {}

  enum class State { searching, found, header_ended };

  State feed(std::string_view piece) {
    while (!piece.empty()) {
      const size_t end = piece.find('\n');
      const std::string_view part = piece.substr(0, end);
      line_.append(part.substr(0, std::min(part.size(), wanted_.size() + 1 - line_.size())));
      if (end == std::string_view::npos) return State::searching;
      if (line_.empty()) return State::header_ended;
      if (equal_ignoring_case(line_, wanted_)) return State::found;
      line_.clear();
      piece.remove_prefix(end + 1);
    }
    return State::searching;
  }

 private:
  std::string_view wanted_;
  std::string line_;
};

}  // namespace

std::string quote_local_part(std::string_view local) {
  if (is_dot_string(local, Utf8::yes) || is_quoted_string(local)) return std::string(local);
  std::string quoted = "\"";
  for (const char c : local) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

std::string return_path_line(std::string_view sender) {
  const std::string clean = without_controls(sender);
  if (clean.empty()) return "Return-Path: <>\n";
  const size_t at = clean.rfind('@');
  std::string line = "Return-Path: <" + quote_local_part(std::string_view(clean).substr(0, at));
  if (at != std::string::npos) line.append(clean, at);
  return line + ">\n";
}

std::string delivered_to_line(std::string_view local, std::string_view domain) {
  return "Delivered-To: " + quote_local_part(without_controls(local)) + "@" + without_controls(domain) + "\n";
}

Result<bool> header_has_line(int message, std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  HeaderSearch search(line);
  std::array<char, kBufferBytes> buffer;
  for (off_t offset = 0;;) {
    Result<size_t> got = pread_full(message, buffer, offset, "read the message");
    if (!got) return got.failure();
    const HeaderSearch::State state = search.feed({buffer.data(), *got});
    if (state == HeaderSearch::State::found) return true;
    if (state == HeaderSearch::State::header_ended) return false;
    // A last line without LF is complete at end of file.
    if (*got < buffer.size()) return search.feed("\n") == HeaderSearch::State::found;
    offset += static_cast<off_t>(*got);
  }
}

}  // namespace postern
