// parts: inject/address_list.cc inject/compose.cc inject/header.cc inject/message_text.cc inject/setup.cc lib
//
// A whole message of a user of this host, in pieces of a size that the first byte says. However it is cut,
// the header and the body are the same; the header that goes on has no Bcc field, no line without its field,
// and is read as the same fields again; recipients are bounded and printable.
#include "inject/header.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "inject/compose.h"
#include "inject/message_text.h"
#include "tests/fuzz/must.h"

using namespace postern;
using namespace postern::inject;

namespace {

struct Read {
  std::string fields;
  std::string body;
  HeaderReader reader;
};

Read read(std::string_view message, size_t piece, bool dot_ends) {
  Read result;
  LineEnds line_ends;
  DotEnd dot_end;
  for (size_t at = 0; at < message.size(); at += piece) {
    std::string lines;
    line_ends.take(message.substr(at, piece), lines);
    std::string kept;
    if (dot_ends) {
      dot_end.take(lines, kept);
    } else {
      kept = lines;
    }
    if (result.reader.over()) {
      result.body += kept;
      continue;
    }
    must(result.reader.take(kept).ok());
    if (result.reader.over()) result.body = result.reader.rest();
  }
  if (!result.reader.over()) {
    result.reader.finish();
    result.body = result.reader.rest();
  }
  for (const Field& field : result.reader.fields()) result.fields += field.text;
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const size_t piece = static_cast<size_t>(data[0] & 0x3f) + 1;
  const bool dot_ends = (data[0] & 0x40) != 0;
  const std::string_view message(reinterpret_cast<const char*>(data) + 1, size - 1);
  Read whole = read(message, size, dot_ends);
  const Read pieces = read(message, piece, dot_ends);
  must(whole.fields == pieces.fields && whole.body == pieces.body);
  must(whole.body.find('\r') == std::string::npos && whole.fields.find('\r') == std::string::npos);

  Setup setup;
  setup.completion = {
      .default_host = "mx.example.org", .default_domain = "example.org", .plus_domain = "example.net"};
  setup.id_host = "mx.example.org";
  setup.author_user = setup.sender_user = "carl";
  const Result<Composed> composed = compose(whole.reader.fields(), {}, setup, 0, 1);
  if (!composed) return 0;
  must(!composed->envelope.recipients.empty());
  for (const Recipient& recipient : composed->envelope.recipients) {
    must(std::none_of(recipient.address.begin(), recipient.address.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }));
  }
  HeaderReader again;
  must(again.take(composed->header).ok() && again.over() && again.rest().empty());
  size_t bytes = 1;
  for (const Field& field : again.fields()) {
    bytes += field.text.size();
    must(!field.named("Bcc") && !field.named("Resent-Bcc") && !field.named("Return-Path"));
  }
  must(bytes == composed->header.size());
  return 0;
}
