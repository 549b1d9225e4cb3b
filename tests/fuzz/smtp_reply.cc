// parts: remote/smtp_reply.cc remote/smtp_session.cc remote/dial.cc remote/tls_context.cc remote/tls_stream.cc lib
// libs: -lssl -lcrypto
//
// Replies as a server may send them: the same whatever pieces they come in, within the bounds, and never an
// enhanced status whose class is not the code's.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "lib/text.h"
#include "remote/smtp_reply.h"
#include "remote/smtp_session.h"

using namespace postern;

namespace {

void require(bool fact) {
  if (!fact) std::abort();
}

// The replies of a stream in pieces of `step` bytes; "!" at its end when it broke.
std::vector<std::string> replies(std::string_view bytes, size_t step) {
  std::vector<std::string> found;
  ReplyParser parser;
  while (!bytes.empty()) {
    const Result<size_t> taken = parser.feed(bytes.substr(0, step));
    if (!taken) {
      require(!taken.failure().permanent());
      found.emplace_back("!");
      return found;
    }
    require(*taken > 0 && *taken <= bytes.size());
    bytes.remove_prefix(*taken);
    if (!parser.complete()) continue;
    const ServerReply reply = parser.take();
    require(reply.code >= 200 && reply.code <= 599 && !reply.lines.empty() && reply.lines.size() <= 128);
    require(reply.status().front() == static_cast<char>('0' + reply.code / 100));
    require(reply.text(100).size() <= 100);
    const Extensions extensions = parse_extensions(reply.lines);
    require(extensions.size || extensions.size_limit == 0);
    for (const char c : printable(reply.text(100))) require(c >= 0x20 && c <= 0x7e);
    found.push_back(std::to_string(reply.code) + " " + reply.status() + " " + reply.text(10000));
  }
  return found;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  require(replies(bytes, 1) == replies(bytes, 4096));
  return 0;
}
