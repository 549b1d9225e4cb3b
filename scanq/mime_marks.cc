#include "scanq/mime_marks.h"

#include <algorithm>

#include "lib/text.h"

namespace postern {

namespace {

bool starts_ignoring_case(std::string_view text, std::string_view with) {
  return text.size() >= with.size() && equal_ignoring_case(text.substr(0, with.size()), with);
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// `Content-T…` with blanks, quote marks or a byte order mark before it.
bool is_content_field(std::string_view line) {
  constexpr size_t kMostBefore = 16;
  const size_t begin = line.substr(0, kMostBefore).find_first_not_of(" \t>\xef\xbb\xbf\r\v\f");
  line.remove_prefix(std::min(line.size(), begin));
  if (line.empty() || (line.front() | 0x20) != 'c') return false;
  static constexpr std::string_view kType = "content-type";
  static constexpr std::string_view kEncoding = "content-transfer-encoding";
  const size_t length = starts_ignoring_case(line, kType)       ? kType.size()
                        : starts_ignoring_case(line, kEncoding) ? kEncoding.size()
                                                                : 0;
  if (length == 0) return false;
  const size_t colon = line.find_first_not_of(" \t", length);
  return colon != std::string_view::npos && line[colon] == ':';
}

// Classifies what stands at a line's begin; false for the most lines, by their first byte.
bool mark_at(std::string_view rest, MarkKind& kind) {
  static constexpr std::string_view kPgp = "-----BEGIN PGP MESSAGE-----";
  static constexpr std::string_view kBinhex = "(This file must be converted";
  switch (rest.front()) {
    case 'b':
    case 'B':
      if (starts_ignoring_case(rest, "begin-base64 ")) return kind = MarkKind::base64, true;
      if (!starts_ignoring_case(rest, "begin")) return false;
      // Some readers take any digits for a mode, and one takes two blanks for enough.
      if (const size_t mode = rest.find_first_not_of(" \t", 5);
          mode == 5 || mode == std::string_view::npos || (!is_digit(rest[mode]) && mode < 7))
        return false;
      return kind = MarkKind::uuencode, true;
    case '=':
      return rest.starts_with("=ybegin ") && (kind = MarkKind::yenc, true);
    case '-':
      return rest.starts_with(kPgp) && (kind = MarkKind::pgp, true);
    case '(':
      return rest.starts_with(kBinhex) && (kind = MarkKind::binhex, true);
    case 'c':
    case 'C':
    case ' ':
    case '\t':
    case '>':
    case '\xef':
    case '\r':
    case '\v':
    case '\f':
      return is_content_field(rest.substr(0, 200)) && (kind = MarkKind::content_field, true);
    default:
      return false;
  }
}

void marks_behind(std::string_view bytes, char end_of_line, size_t limit, std::vector<Mark>& marks) {
  for (size_t at = bytes.find(end_of_line); at != std::string_view::npos && marks.size() <= limit;
       at = bytes.find(end_of_line, at + 1)) {
    MarkKind kind{};
    if (at + 1 < bytes.size() && mark_at(bytes.substr(at + 1), kind)) marks.push_back({at + 1, kind, false});
  }
}

// PHP's readers of uuencode look for `begin MODE NAME` anywhere in a line.
void uuencode_within_lines(std::string_view bytes, size_t limit, std::vector<Mark>& marks) {
  static constexpr std::string_view kBegin = "begin ";
  for (size_t at = bytes.find(kBegin); at != std::string_view::npos && marks.size() <= limit;
       at = bytes.find(kBegin, at + 1)) {
    if (at == 0 || bytes[at - 1] == '\n') continue;  // found as a line's begin
    size_t digits = 0;
    while (digits < 5 && at + kBegin.size() + digits < bytes.size() &&
           is_digit(bytes[at + kBegin.size() + digits]))
      ++digits;
    const size_t behind = at + kBegin.size() + digits;
    if (digits < 3 || digits > 4 || behind >= bytes.size() || bytes[behind] != ' ') continue;
    marks.push_back({at, MarkKind::uuencode, false});
  }
}

void sort_by_place(std::vector<Mark>& marks) {
  std::sort(marks.begin(), marks.end(), [](const Mark& a, const Mark& b) { return a.at < b.at; });
  marks.erase(
      std::unique(marks.begin(), marks.end(), [](const Mark& a, const Mark& b) { return a.at == b.at; }),
      marks.end());
}

}  // namespace

std::vector<Mark> find_marks(std::string_view bytes, size_t limit) {
  std::vector<Mark> marks;
  MarkKind kind{};
  if (!bytes.empty() && mark_at(bytes, kind)) marks.push_back({0, kind, false});
  marks_behind(bytes, '\n', limit, marks);
  const size_t in_order = marks.size();
  uuencode_within_lines(bytes, limit, marks);
  if (has_bare_cr(bytes)) marks_behind(bytes, '\r', limit, marks);
  if (marks.size() > in_order) sort_by_place(marks);
  return marks;
}

size_t next_line(std::string_view bytes, size_t at) {
  const size_t end = bytes.find('\n', at);
  return end == std::string_view::npos ? bytes.size() : end + 1;
}

bool has_bare_cr(std::string_view bytes) {
  for (size_t at = bytes.find('\r'); at != std::string_view::npos; at = bytes.find('\r', at + 1)) {
    if (at + 1 == bytes.size() || bytes[at + 1] != '\n') return true;
  }
  return false;
}

}  // namespace postern
