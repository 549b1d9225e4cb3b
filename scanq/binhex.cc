#include "scanq/binhex.h"

#include <algorithm>
#include <cstdint>

namespace postern {

namespace {

// Repeats make more of the text than there is; what is over this was never a file in a mail.
constexpr size_t kMostBytes = size_t{200} * 1024 * 1024;

std::string unpack_letters(std::string_view text) {
  static constexpr std::string_view kLetters =
      "!\"#$%&'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUVXYZ[`abcdefhijklmpqr";
  std::string packed;
  uint32_t bits = 0;
  unsigned held = 0;
  for (const char c : text) {
    if (c == '\n' || c == '\r' || c == ' ' || c == '\t') continue;
    const size_t value = kLetters.find(c);
    if (c == ':' || value == std::string_view::npos) break;
    bits = bits << 6 | static_cast<uint32_t>(value);
    held += 6;
    if (held < 8) continue;
    held -= 8;
    packed += static_cast<char>(bits >> held);
  }
  return packed;
}

// 0x90 and a number: the byte before it, so many times in all; 0x90 0 is that byte itself.
std::string unpack_repeats(std::string_view packed) {
  std::string bytes;
  for (size_t at = 0; at < packed.size() && bytes.size() < kMostBytes; ++at) {
    if (packed[at] != '\x90') {
      bytes += packed[at];
      continue;
    }
    const size_t times = ++at < packed.size() ? static_cast<unsigned char>(packed[at]) : 0;
    if (times == 0) {
      bytes += '\x90';
    } else if (!bytes.empty()) {
      bytes.append(times - 1, bytes.back());
    }
  }
  return bytes;
}

size_t big_endian(std::string_view bytes, size_t at) {
  size_t value = 0;
  for (size_t i = at; i < at + 4 && i < bytes.size(); ++i)
    value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

}  // namespace

BinhexFile decode_binhex(std::string_view text) {
  BinhexFile file;
  const size_t colon = text.find("\n:");
  if (colon == std::string_view::npos) return file;
  const std::string bytes = unpack_repeats(unpack_letters(text.substr(colon + 2)));
  if (bytes.empty()) return file;
  // Length of the name, name, version, type, creator, flags, lengths of both forks, check sum.
  const size_t name = static_cast<unsigned char>(bytes[0]);
  constexpr size_t kFixed = 1 + 4 + 4 + 2;
  const size_t lengths = 1 + name + kFixed;
  const size_t data = lengths + 4 + 4 + 2;
  if (bytes.size() < data) return file;
  file.name = bytes.substr(1, name);
  const size_t data_length = std::min(big_endian(bytes, lengths), bytes.size() - data);
  file.data = bytes.substr(data, data_length);
  const size_t resource = data + data_length + 2;
  if (resource < bytes.size()) file.resource = bytes.substr(resource, big_endian(bytes, lengths + 4));
  return file;
}

}  // namespace postern
