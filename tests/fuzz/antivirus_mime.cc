// parts: scanq/antivirus_mime.cc lib
// libs: -lgmime-3.0 -lgobject-2.0 -lglib-2.0
//
// A message as anybody may send it. Whatever it is, the walk ends within its limits or says that it did not,
// and what a plain message shows is its body and nothing else.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "scanq/antivirus_mime.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view message(reinterpret_cast<const char*>(data), size);
  const std::string_view body = postern::body_of(message);
  require(message.ends_with(body));

  const postern::MimeLimits limits{.depth = 20, .parts = 50, .decoded_bytes = 100000};
  size_t parts = 0;
  size_t bytes = 0;
  const postern::Result<void> walked = postern::walk_mime(message, limits, [&](std::string_view content) {
    require(!content.empty());
    // Reads every byte: a view outside of what it may see is found by the address sanitizer.
    unsigned sum = 0;
    for (const char c : content) sum += static_cast<unsigned char>(c);
    parts += sum > 0 || content.front() == '\0' ? 1 : 0;
    bytes += content.size();
    return true;
  });
  require(parts <= limits.parts && bytes <= limits.decoded_bytes);
  require(walked.ok() || !walked.failure().permanent());
  if (walked.ok() && postern::is_plain_message(message)) require(bytes <= body.size());

  size_t visits = 0;
  const postern::Result<void> stopped = postern::walk_mime(message, limits, [&](std::string_view) {
    ++visits;
    return false;
  });
  require(visits <= 1 && (stopped.ok() || visits == 0));
  return 0;
}
