// parts: smtpd/data.cc smtpd/header_scan.cc lib
//
// What a client sends behind DATA. The first byte says how the rest is cut into chunks. The reader must end
// where the definition says (the first CR LF . CR LF) and nowhere else, see every bare CR and LF, give the
// same message for any cut, and never a byte more than it took.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "smtpd/data.h"
#include "smtpd/header_scan.h"

using namespace postern::smtpd;

namespace {

constexpr uint64_t kLimitBytes = 300;

void require(bool fact) {
  if (!fact) std::abort();
}

struct Outcome {
  explicit Outcome(BareLineEnds mode)
      : data(Framing::data, {.message_bytes = kLimitBytes, .line_bytes = 0, .bare_line_ends = mode}) {}
  TextReader data;
  HeaderScan header;
  std::string message;
  size_t taken = 0;
};

Outcome read(std::string_view bytes, size_t chunk, BareLineEnds mode = BareLineEnds::refuse) {
  Outcome outcome(mode);
  while (outcome.taken < bytes.size() && !outcome.data.ended()) {
    const size_t before = outcome.message.size();
    outcome.taken += outcome.data.take(bytes.substr(outcome.taken, chunk), outcome.message);
    outcome.header.take(std::string_view(outcome.message).substr(before));
    chunk = chunk * 7 % 61 + 1;
  }
  outcome.header.finish();
  return outcome;
}

bool has_bare_line_end(std::string_view bytes) {
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] == '\n' && (i == 0 || bytes[i - 1] != '\r')) return true;
    if (bytes[i] == '\r' && i + 1 < bytes.size() && bytes[i + 1] != '\n') return true;
  }
  return false;
}

// The message that those bytes hold, the plain way.
std::string plain_message(std::string_view bytes) {
  std::string message;
  while (!bytes.empty()) {
    const size_t end = bytes.find("\r\n");
    std::string_view line = bytes.substr(0, end);
    if (line.starts_with('.')) line.remove_prefix(1);
    message += line;
    if (end == std::string_view::npos) break;
    message += '\n';
    bytes.remove_prefix(end + 2);
  }
  return message;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Outcome whole = read(bytes, size);
  const Outcome pieces = read(bytes, data[0] % 60 + 1);

  const size_t found = ("\r\n" + std::string(bytes)).find("\r\n.\r\n");
  const bool ends = found != std::string::npos;
  require(whole.data.ended() == ends && pieces.data.ended() == ends);
  require(whole.taken == (ends ? found + 3 : bytes.size()) && pieces.taken == whole.taken);

  const std::string_view taken = bytes.substr(0, whole.taken);
  require(whole.data.bare_line_ends() == has_bare_line_end(taken));
  require(pieces.data.bare_line_ends() == whole.data.bare_line_ends());
  require(pieces.data.size_bytes() == whole.data.size_bytes() &&
          pieces.data.too_large() == whole.data.too_large());
  require(whole.message.size() <= kLimitBytes && pieces.message.size() <= kLimitBytes);
  // The other modes end where this one does, and keep nothing that could be an end.
  for (const BareLineEnds mode : {BareLineEnds::strip, BareLineEnds::allow}) {
    const Outcome other = read(bytes, data[0] % 60 + 1, mode);
    require(other.taken == whole.taken && other.data.ended() == ends);
    require(other.message.size() <= kLimitBytes);
    if (mode == BareLineEnds::strip) require(other.message.find('\r') == std::string::npos);
    if (!whole.data.at_fault()) require(other.message == whole.message);
  }
  if (whole.data.at_fault()) return 0;

  require(whole.message == pieces.message);
  require(whole.message.find('\r') == std::string::npos);
  if (ends) require(whole.message == plain_message(taken.substr(0, taken.size() - 3)));
  require(whole.header.hops() == pieces.header.hops() && whole.header.subject() == pieces.header.subject());
  require(whole.header.message_id() == pieces.header.message_id());
  return 0;
}
