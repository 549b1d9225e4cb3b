#include "scanq/antivirus_outline.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

namespace postern {

namespace {

constexpr size_t kShortestRunBytes = 16 * 1024;  // below it there is nothing to gain
constexpr size_t kShortestLineBytes = 40;
// Thousands of attachments that differ in their last bytes alone would each be compared with all the others.
constexpr size_t kReadingsInVain = 4;
constexpr uint8_t kNoDigit = 0xff;

constexpr std::array<uint8_t, 256> make_digits() {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::array<uint8_t, 256> digits{};
  digits.fill(kNoDigit);
  for (size_t i = 0; i < kAlphabet.size(); ++i)
    digits[static_cast<uint8_t>(kAlphabet[i])] = static_cast<uint8_t>(i);
  return digits;
}
constexpr std::array<uint8_t, 256> kDigits = make_digits();

// The line at `at`, without its end; `at` moves behind that.
std::string_view next_line(std::string_view text, size_t& at) {
  const size_t newline = text.find('\n', at);
  std::string_view line = text.substr(at, newline == std::string_view::npos ? newline : newline - at);
  at = newline == std::string_view::npos ? text.size() : newline + 1;
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

size_t padding_of(std::string_view line) {
  return line.ends_with("==") ? 2 : line.ends_with('=') ? 1 : 0;
}

// Only the ends of a line: leave_out() looks at each byte.
bool may_be_base64(std::string_view line) {
  return !line.empty() && line.size() % 4 == 0 && kDigits[static_cast<uint8_t>(line.front())] != kNoDigit &&
         (line.back() == '=' || kDigits[static_cast<uint8_t>(line.back())] != kNoDigit);
}

bool group_is(std::string_view four, std::string_view three) {
  const uint8_t a = kDigits[static_cast<uint8_t>(four[0])];
  const uint8_t b = kDigits[static_cast<uint8_t>(four[1])];
  const uint8_t c = kDigits[static_cast<uint8_t>(four[2])];
  const uint8_t d = kDigits[static_cast<uint8_t>(four[3])];
  if (((a | b | c | d) & 0xc0) != 0) return false;
  return static_cast<uint8_t>(three[0]) == static_cast<uint8_t>(a << 2 | b >> 4) &&
         static_cast<uint8_t>(three[1]) == static_cast<uint8_t>(b << 4 | c >> 2) &&
         static_cast<uint8_t>(three[2]) == static_cast<uint8_t>(c << 6 | d);
}

// The last group, padded; bits that are left over have to be 0, for readers differ over them.
bool padded_group_is(std::string_view four, std::string_view bytes) {
  const uint8_t a = kDigits[static_cast<uint8_t>(four[0])];
  const uint8_t b = kDigits[static_cast<uint8_t>(four[1])];
  if (((a | b) & 0xc0) != 0 || static_cast<uint8_t>(bytes[0]) != static_cast<uint8_t>(a << 2 | b >> 4))
    return false;
  if (bytes.size() == 1) return (b & 0x0f) == 0;
  const uint8_t c = kDigits[static_cast<uint8_t>(four[2])];
  return (c & 0xc0) == 0 && static_cast<uint8_t>(bytes[1]) == static_cast<uint8_t>(b << 4 | c >> 2) &&
         (c & 0x03) == 0;
}

// `read` is how far it was looked at, in whole lines.
bool decodes_to(std::string_view run, std::string_view content, size_t& read) {
  for (read = 0; read < run.size();) {
    std::string_view line = next_line(run, read);
    for (; !line.empty(); line.remove_prefix(4)) {
      const size_t bytes = 3 - padding_of(line.substr(0, 4));
      if (content.size() < bytes) return false;
      const bool same = bytes == 3 ? group_is(line, content)
                                   : padded_group_is(line.substr(0, 4), content.substr(0, bytes)) &&
                                         line.size() == 4 && content.size() == bytes;
      if (!same) return false;
      content.remove_prefix(bytes);
    }
  }
  return content.empty();
}

}  // namespace

Outline::Outline(std::string_view message) : message_(message) {
  if (message.size() < kShortestRunBytes) return;
  bool behind_empty_line = false;
  for (size_t at = 0; at < message.size();) {
    const size_t begin = at;
    const std::string_view first = next_line(message, at);
    const bool begins = std::exchange(behind_empty_line, first.empty());
    if (!begins || first.size() < kShortestLineBytes || !may_be_base64(first) || first.ends_with('='))
      continue;
    Run run{.begin = begin, .end = at, .decoded_bytes = first.size() / 4 * 3};
    std::string_view line;
    size_t behind = at;
    while (behind < message.size()) {
      line = next_line(message, behind);
      if (line.size() > first.size() || !may_be_base64(line)) break;
      run.end = at = behind;
      run.decoded_bytes += line.size() / 4 * 3 - padding_of(line);
      const bool last = line.size() < first.size() || line.ends_with('=');
      line = {};
      if (last) {
        if (behind < message.size()) line = next_line(message, behind);
        break;
      }
    }
    const bool ends = line.empty() || line.starts_with("--");
    if (ends && run.end - run.begin >= kShortestRunBytes) runs_.push_back(run);
  }
}

void Outline::leave_out(std::string_view content) {
  for (Run& run : runs_) {
    if (run.left_out || run.decoded_bytes != content.size()) continue;
    if (compared_in_vain_ / kReadingsInVain >= message_.size()) return;
    size_t read = 0;
    run.left_out = decodes_to(message_.substr(run.begin, run.end - run.begin), content, read);
    if (!run.left_out) compared_in_vain_ += read;
  }
}

std::string_view Outline::rest() {
  if (std::none_of(runs_.begin(), runs_.end(), [](const Run& run) { return run.left_out; })) return message_;
  rest_.clear();
  size_t at = 0;
  for (const Run& run : runs_) {
    if (!run.left_out) continue;
    rest_.append(message_.substr(at, run.begin - at));
    at = run.end;
  }
  rest_.append(message_.substr(at));
  return rest_;
}

}  // namespace postern
