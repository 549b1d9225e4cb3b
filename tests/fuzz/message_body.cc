// parts: remote/message_body.cc lib
//
// Any message as the body of DATA: the same in whatever pieces, no bare CR or LF, the end only at the end,
// and the other side gets the lines back.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "remote/message_body.h"

using namespace postern;

namespace {

void require(bool fact) {
  if (!fact) std::abort();
}

std::string encoded(std::string_view message, size_t step) {
  BodyEncoder encoder;
  std::string out;
  for (; !message.empty(); message.remove_prefix(std::min(step, message.size()))) {
    const size_t before = out.size();
    encoder.encode(message.substr(0, step), out);
    require(out.size() - before <= 2 * step + 2);
  }
  encoder.finish(out);
  return out;
}

// What a server makes of it: LF lines.
std::string decoded(std::string_view body) {
  std::string message;
  for (;;) {
    const size_t end = body.find("\r\n");
    require(end != std::string_view::npos);
    std::string_view line = body.substr(0, end);
    body.remove_prefix(end + 2);
    if (line == ".") break;
    require(line.find_first_of("\r\n") == std::string_view::npos);
    if (line.starts_with('.')) line.remove_prefix(1);
    message.append(line).append("\n");
  }
  require(body.empty());
  return message;
}

std::string lines_of(std::string_view message) {
  std::string lines;
  for (size_t i = 0; i < message.size(); ++i) {
    const bool cr = message[i] == '\r';
    if (cr && i + 1 < message.size() && message[i + 1] == '\n') ++i;
    lines += cr ? '\n' : message[i];
  }
  if (!lines.empty() && lines.back() != '\n') lines += '\n';
  return lines;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view message(reinterpret_cast<const char*>(data), size);
  const std::string body = encoded(message, 65536);
  require(body == encoded(message, 1) && body == encoded(message, 7));
  require(decoded(body) == lines_of(message));
  return 0;
}
