#include "remote/message_body.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <vector>

#include "lib/fd.h"

namespace postern {

namespace {
constexpr size_t kScanBytes = 65536;
}  // namespace

void BodyEncoder::encode_line_part(std::string_view part, std::string& out) {
  if (part.empty()) return;
  if (at_line_start_ && part.front() == '.' && form_ == Form::data) out += '.';
  out += part;
  at_line_start_ = false;
}

void BodyEncoder::encode(std::string_view bytes, std::string& out) {
  while (!bytes.empty()) {
    if (after_cr_ && bytes.front() == '\n') bytes.remove_prefix(1);
    after_cr_ = false;
    // The common line has no CR: look for the LF first, and for a CR only before it.
    const size_t lf = bytes.find('\n');
    const size_t end = std::min(bytes.substr(0, lf).find('\r'), lf);
    if (end == std::string_view::npos) {
      encode_line_part(bytes, out);
      return;
    }
    encode_line_part(bytes.substr(0, end), out);
    out += "\r\n";
    at_line_start_ = true;
    after_cr_ = bytes[end] == '\r';
    bytes.remove_prefix(end + 1);
  }
}

void BodyEncoder::finish(std::string& out) {
  if (!at_line_start_) out += "\r\n";
  if (form_ == Form::data) out += ".\r\n";
}

namespace {

bool is_8bit_byte(char c) {
  return static_cast<unsigned char>(c) > 0x7f;
}

// Eight bytes at a time: large messages go through here.
bool any_8bit(std::string_view bytes) {
  constexpr uint64_t kHighBits = 0x8080808080808080;
  uint64_t all = 0;
  for (; bytes.size() >= sizeof all; bytes.remove_prefix(sizeof all)) {
    uint64_t word = 0;
    std::memcpy(&word, bytes.data(), sizeof word);
    all |= word;
  }
  return (all & kHighBits) != 0 || std::any_of(bytes.begin(), bytes.end(), is_8bit_byte);
}

// By memchr, which is quicker for one byte in dozens than to look at each.
uint64_t count_of(char wanted, std::string_view bytes) {
  uint64_t count = 0;
  for (size_t at = bytes.find(wanted); at != std::string_view::npos; at = bytes.find(wanted, at + 1)) ++count;
  return count;
}

// Asks `look` about each block of the message until it has an answer.
template <typename Look>
Result<bool> scan(int fd, uint64_t size, Look look) {
  std::vector<char> buffer(static_cast<size_t>(std::min<uint64_t>(kScanBytes, size)));
  for (uint64_t at = 0; at < size;) {
    const size_t wanted = static_cast<size_t>(std::min<uint64_t>(buffer.size(), size - at));
    Result<size_t> got = pread_full(fd, {buffer.data(), wanted}, static_cast<off_t>(at), "read the message");
    if (!got) return got.failure();
    if (*got == 0) break;
    if (const std::optional<bool> answer = look(std::string_view(buffer.data(), *got))) return *answer;
    at += *got;
  }
  return false;
}

}  // namespace

Result<BodyFacts> examine_body(int fd, uint64_t size) {
  BodyFacts facts;
  char last = '\n';
  Result<bool> scanned = scan(fd, size, [&](std::string_view block) -> std::optional<bool> {
    // What BodyEncoder makes of it: each LF and each CR is two bytes, but a CR LF is two together.
    facts.wire_bytes += block.size() + count_of('\n', block);
    if (last == '\r' && block.front() == '\n') facts.wire_bytes -= 2;
    for (size_t at = block.find('\r'); at != std::string_view::npos; at = block.find('\r', at + 1)) {
      ++facts.wire_bytes;
      if (at + 1 < block.size() && block[at + 1] == '\n') facts.wire_bytes -= 2;
    }
    facts.has_8bit = facts.has_8bit || any_8bit(block);
    last = block.back();
    return std::nullopt;
  });
  if (!scanned) return scanned.failure();
  if (last != '\n' && last != '\r') facts.wire_bytes += 2;
  return facts;
}

Result<bool> header_has_8bit(int fd, uint64_t size) {
  bool line_is_empty = true;
  return scan(fd, size, [&](std::string_view block) -> std::optional<bool> {
    for (const char c : block) {
      if (c == '\n' && line_is_empty) return false;
      if (is_8bit_byte(c)) return true;
      if (c != '\r') line_is_empty = c == '\n';
    }
    return std::nullopt;
  });
}

}  // namespace postern
