// parts: scanq/antivirus_outline.cc lib
//
// A message of which some attachments were scanned: what is left out decodes to exactly those bytes, and the
// rest stays as it was.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "must.h"
#include "scanq/antivirus_outline.h"

namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr size_t kShortestRunBytes = 16 * 1024;  // as in the outline: what is shorter stays

constexpr std::array<int8_t, 256> make_digits() {
  std::array<int8_t, 256> digits{};
  digits.fill(-1);
  for (size_t i = 0; i < kAlphabet.size(); ++i)
    digits[static_cast<uint8_t>(kAlphabet[i])] = static_cast<int8_t>(i);
  return digits;
}
constexpr std::array<int8_t, 256> kDigits = make_digits();

// Whatever is no digit is passed over, and what is left over of the last byte is dropped.
std::string decode(std::string_view text) {
  std::string bytes(text.size(), '\0');
  size_t length = 0;
  unsigned bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    const int digit = kDigits[static_cast<uint8_t>(c)];
    if (digit < 0) continue;
    bits = bits << 6U | static_cast<unsigned>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes[length++] = static_cast<char>(bits >> count & 0xffU);
  }
  bytes.resize(length);
  return bytes;
}

// Lines of base64, each the one before moved on by a digit; a few more or less than make the shortest run.
std::string make_run(uint8_t seed, size_t width) {
  std::string pattern;
  for (size_t k = 0; k < width + 64; ++k) pattern += kAlphabet[(k * 3 + seed) % 64];
  std::string run;
  const size_t lines = kShortestRunBytes / (width + 1) - 1 + seed % 8;
  for (size_t i = 0; i < lines; ++i) run.append(pattern, i % 64, width) += '\n';
  return run;
}

}  // namespace

// The message is blown up, for short runs are not looked at: its first byte says how many lines of base64
// stand in its middle, its second how long they are. What is said to have been scanned ends with the run or
// a little behind it.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 3) return 0;
  const size_t width = 4 * (10 + data[1] % 10);
  const std::string_view own(reinterpret_cast<const char*>(data + 2), size - 2);
  const std::string_view before = own.substr(0, own.size() / 2);
  const std::string_view behind = own.substr(own.size() / 2);
  const std::string message = std::string(before) + "\n\n" + make_run(data[0], width) + std::string(behind);
  const size_t begin = before.size() + 2;
  const size_t end = message.size() - behind.size();
  const std::string longest =
      decode(std::string_view(message).substr(begin, end + std::min(behind.size(), size_t{80}) - begin));
  const postern::Outline looked_through(message);
  size_t digits = 0;
  for (size_t at = begin; at < end; ++at) digits += kDigits[static_cast<uint8_t>(message[at])] >= 0 ? 1 : 0;
  for (size_t tail = 0; tail <= behind.size() && tail < 80; ++tail) {
    if (tail > 0) {
      if (kDigits[static_cast<uint8_t>(behind[tail - 1])] < 0) continue;
      ++digits;
    }
    const std::string_view content = std::string_view(longest).substr(0, digits * 3 / 4);
    postern::Outline outline = looked_through;
    outline.leave_out(content);
    const std::string_view rest = outline.rest();
    must(rest.size() <= message.size());
    const size_t gone = message.size() - rest.size();
    if (gone == 0) {
      must(rest == message);
      continue;
    }
    must(rest.substr(0, begin) == std::string_view(message).substr(0, begin));
    must(rest.substr(begin) == std::string_view(message).substr(begin + gone));
    must(decode(std::string_view(message).substr(begin, gone)) == content);
  }
  return 0;
}
