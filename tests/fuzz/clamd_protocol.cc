// parts: scanq/clamd_protocol.cc lib
//
// What a client of clamd may send, as it may arrive: commands, chunks of a stream, and a clamd's own answer.
// Nothing is taken twice or left out, and only `…: OK` is OK.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "must.h"
#include "scanq/clamd_protocol.h"

namespace {

using namespace postern;

std::string stream_in_pieces(std::string_view bytes, size_t piece, bool& ended) {
  ClamdStream stream;
  std::string content;
  for (size_t at = 0; at < bytes.size() && !stream.ended(); at += piece) {
    std::string_view rest = bytes.substr(at, piece);
    while (!rest.empty() && !stream.ended()) {
      const size_t before = rest.size();
      content += stream.take(rest);
      must(rest.size() < before);
    }
  }
  ended = stream.ended();
  return content;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  for (const bool whole : {false, true}) {
    std::string_view bytes = all;
    while (const std::optional<TakenCommand> taken = take_clamd_command(bytes, whole)) {
      must(taken->bytes > 0 && taken->bytes <= bytes.size());
      must(taken->command.argument.size() <= kClamdCommandLimitBytes);
      must(taken->command.argument.find('\0') == std::string::npos);
      bytes.remove_prefix(taken->bytes);
    }
    must(!whole || bytes.empty() || bytes.front() == 'n' || bytes.front() == 'z');
    must(bytes.size() <= kClamdCommandLimitBytes + 1);
  }
  bool ended_at_once = false;
  bool ended_slowly = false;
  const std::string at_once = stream_in_pieces(all, all.size() + 1, ended_at_once);
  must(at_once == stream_in_pieces(all, 1, ended_slowly) && ended_at_once == ended_slowly);

  const ClamdAnswer answer = parse_clamd_answer(all);
  must(answer.kind != ClamdAnswer::Kind::ok || all.find(": OK") != std::string_view::npos);
  must(answer.kind != ClamdAnswer::Kind::found || !answer.text.empty());
  for (const char c : answer.text) must(c >= ' ' && c < 0x7f);
  return 0;
}
