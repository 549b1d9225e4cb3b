// parts: scanq/antivirus_mime.cc scanq/mime_walk.cc scanq/mime_unpack.cc scanq/mime_buffer.cc
// parts: scanq/mime_header.cc scanq/mime_parameters.cc scanq/mime_encodings.cc scanq/mime_marks.cc
// parts: scanq/uuencode.cc scanq/yenc.cc scanq/tnef.cc scanq/binhex.cc scanq/smime.cc lib
//
// A message as anybody may send it. Whatever it is, the walk ends within its limits or says that it did not,
// each piece has a place in the message, and what a plain message shows is its body and nothing else.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "must.h"
#include "scanq/antivirus_mime.h"

namespace {

// Reads every byte: a view outside of what it may see is found by the address sanitizer.
size_t read_all(std::string_view text) {
  size_t sum = 0;
  for (const char c : text) sum += static_cast<unsigned char>(c);
  return sum;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view message(reinterpret_cast<const char*>(data), size);
  const std::string_view body = postern::body_of(message);
  must(message.ends_with(body));

  const postern::MimeLimits limits{.depth = 20, .parts = 50, .decoded_bytes = 100000};
  size_t pieces = 0;
  size_t bytes = 0;
  const postern::MimeReport report =
      postern::walk_pieces(message, limits, [&](const postern::MimePiece& piece) {
        must(!piece.bytes.empty());
        must(piece.place.begin <= piece.place.end && piece.place.end <= size);
        must(piece.place.path.size() <= 2 * limits.depth);
        size_t sum = read_all(piece.bytes) + read_all(piece.type) + read_all(piece.encoding);
        for (const std::string& name : piece.names) sum += read_all(name);
        pieces += sum > 0 || piece.bytes.front() == '\0' ? 1 : 0;
        if (!piece.is_message) bytes += piece.bytes.size();
        return true;
      });
  must(pieces <= limits.parts && bytes <= limits.decoded_bytes);
  if (postern::is_plain_message(message)) {
    must(bytes <= body.size());
    must(report.ambiguous.empty() && !report.encrypted);
  }

  size_t visits = 0;
  const postern::MimeReport stopped = postern::walk_pieces(message, limits, [&](const postern::MimePiece&) {
    ++visits;
    return false;
  });
  must(visits <= 1 && (stopped.limit.empty() || visits == 0));
  return 0;
}
