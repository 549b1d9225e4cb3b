#include "scanq/uuencode.h"

#include <algorithm>
#include <cstdint>

#include "lib/text.h"

namespace postern {

namespace {

// A line that is none of its own may stand in between; so many of them and the file has ended for all
// readers.
constexpr size_t kMostStrayLines = 100;

std::string_view cut_line(std::string_view& text) {
  const size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  while (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

bool is_end(std::string_view line) {
  return equal_ignoring_case(trim(line), "end");
}

// The first letter says how many bytes the line is; blanks at its end may be lost, a check letter may follow.
bool is_uu_line(std::string_view line) {
  if (line.empty()) return false;
  const auto in_range = [](char c) { return c >= ' ' && c <= '`'; };
  if (!std::all_of(line.begin(), line.end(), in_range)) return false;
  const size_t bytes = static_cast<size_t>((line.front() - ' ') & 63);
  const size_t letters = (bytes + 2) / 3 * 4;
  return line.size() <= letters + 3;
}

// Shorter than it says, and like a delimiter: for a reader that cuts the mail into parts first it is none of
// the file's lines.
bool may_be_delimiter(std::string_view line) {
  const size_t bytes = static_cast<size_t>((line.front() - ' ') & 63);
  return line.starts_with("--") && line.size() < 1 + (bytes + 2) / 3 * 4;
}

void decode_line(std::string_view line, std::string& out) {
  const size_t bytes = static_cast<size_t>((line.front() - ' ') & 63);
  line.remove_prefix(1);
  const auto letter = [&](size_t i) {
    return i < line.size() ? static_cast<uint32_t>(line[i] - ' ') & 63U : 0U;
  };
  for (size_t done = 0, at = 0; done < bytes; at += 4) {
    const uint32_t word = letter(at) << 18 | letter(at + 1) << 12 | letter(at + 2) << 6 | letter(at + 3);
    for (int shift = 16; shift >= 0 && done < bytes; shift -= 8, ++done)
      out += static_cast<char>(word >> shift);
  }
}

std::string name_of(std::string_view begin_line) {
  size_t at = begin_line.find_first_of(" \t");
  if (at == std::string_view::npos) return {};
  begin_line = trim(begin_line.substr(at));
  at = begin_line.find_first_of(" \t");
  return std::string(at == std::string_view::npos ? std::string_view() : trim(begin_line.substr(at)));
}

}  // namespace

std::vector<std::string> decode_uuencode_lines(std::string_view text) {
  std::string all;    // stray lines passed over
  std::string until;  // up to the first stray line, or the line of no bytes
  bool until_ended = false;
  size_t stray = 0;
  while (!text.empty() && stray < kMostStrayLines) {
    const std::string_view line = cut_line(text);
    if (is_end(line)) break;
    const bool is_data = is_uu_line(line);
    const bool none = line.empty() || (is_data && ((line.front() - ' ') & 63) == 0);
    if ((!is_data || none || may_be_delimiter(line)) && !until_ended) {
      until_ended = true;
      until = all;
    }
    if (!is_data && !line.empty()) ++stray;
    if (is_data && !none) decode_line(line, all);
  }
  std::vector<std::string> contents;
  if (!all.empty()) contents.push_back(std::move(all));
  if (until_ended && !until.empty() && contents.front() != until) contents.push_back(std::move(until));
  return contents;
}

UuFile decode_uuencode(std::string_view text) {
  UuFile file;
  file.name = name_of(cut_line(text));
  file.contents = decode_uuencode_lines(text);
  return file;
}

Base64File find_base64_file(std::string_view text) {
  Base64File file;
  file.name = name_of(cut_line(text));
  const std::string_view begin = text;
  file.lines = text;
  while (!text.empty()) {
    const size_t at = begin.size() - text.size();
    const std::string_view line = cut_line(text);
    if (line.starts_with("====") || line.starts_with("--")) {
      file.lines = begin.substr(0, at);
      break;
    }
  }
  return file;
}

}  // namespace postern
