#include "remote/message_body.h"

#include <algorithm>
#include <vector>

#include "lib/fd.h"

namespace postern {

namespace {
constexpr size_t kScanBytes = 65536;
}  // namespace

void BodyEncoder::encode_line_part(std::string_view part, std::string& out) {
  if (part.empty()) return;
  if (at_line_start_ && part.front() == '.') out += '.';
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
  out += at_line_start_ ? ".\r\n" : "\r\n.\r\n";
}

Result<bool> has_8bit(int fd, uint64_t size) {
  std::vector<char> buffer(kScanBytes);
  for (uint64_t at = 0; at < size;) {
    const size_t wanted = static_cast<size_t>(std::min<uint64_t>(buffer.size(), size - at));
    Result<size_t> got = pread_full(fd, {buffer.data(), wanted}, static_cast<off_t>(at), "read the message");
    if (!got) return got.failure();
    if (*got == 0) break;
    if (std::any_of(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(*got),
                    [](char c) { return static_cast<unsigned char>(c) > 0x7f; })) {
      return true;
    }
    at += *got;
  }
  return false;
}

}  // namespace postern
