// parts: scanq/antivirus_outline.cc lib
//
// A message of which some attachments were scanned: what is left out decodes to exactly those bytes, and the
// rest stays as it was.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "must.h"
#include "scanq/antivirus_outline.h"

namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// As strictly as RFC 4648, 3.5 wants it, and slowly.
std::string decode(std::string_view text) {
  std::string bytes;
  bytes.reserve(text.size());
  unsigned bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    const char* digit = static_cast<const char*>(std::memchr(kAlphabet.data(), c, kAlphabet.size()));
    if (digit == nullptr) continue;
    bits = bits << 6U | static_cast<unsigned>(digit - kAlphabet.data());
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count & 0xffU);
  }
  return bytes;
}

}  // namespace

// The message is blown up, for short runs are not looked at: its first byte says how many lines of base64
// stand behind it, its second how long they are.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 3) return 0;
  const size_t width = 4 * (10 + data[1] % 10);
  const std::string_view own(reinterpret_cast<const char*>(data + 2), size - 2);
  const size_t half = own.size() / 2;
  std::string run;
  for (size_t i = 0; i < 400U + data[0]; ++i) {
    for (size_t k = 0; k < width; ++k) run += kAlphabet[(i * 7 + k * 3 + data[0]) % 64];
    run += '\n';
  }
  const std::string message = std::string(own.substr(0, half)) + "\n\n" + run + std::string(own.substr(half));
  const size_t end = message.size() - (own.size() - half);
  for (size_t tail = 0; tail <= own.size() - half && tail < 80; tail += 1 + tail / 4) {
    const std::string_view stretch = std::string_view(message).substr(half + 2, end + tail - half - 2);
    postern::Outline outline(message);
    const std::string content = decode(stretch);
    outline.leave_out(content);
    const std::string_view rest = outline.rest();
    must(rest.size() <= message.size());
    must(rest.starts_with(own.substr(0, half)));
    const size_t gone = message.size() - rest.size();
    must(gone == 0 || decode(std::string_view(message).substr(half + 2, gone)) == content);
  }
  return 0;
}
