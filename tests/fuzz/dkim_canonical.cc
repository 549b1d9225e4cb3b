// parts: sign/canonical.cc sign/author.cc remote/message_body.cc lib
//
// Any message: canonical in whatever pieces it comes, and the same from what remote puts on the wire, so that
// the signature holds there; no bare CR or LF, no white space at the end of a relaxed line, no empty lines at
// the end; canonical already when it is done again.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "must.h"
#include "remote/message_body.h"
#include "sign/author.h"
#include "sign/canonical.h"
#include "tests/canonical_body.h"

using namespace postern;

namespace {

void check_body(std::string_view text, std::string_view wire, Canonical form) {
  const std::string once = canonical_body(text, form, text.size() + 1);
  must(once == canonical_body(text, form, 1));
  must(once == canonical_body(text, form, 7));
  must(once == canonical_body(wire, form, 5));
  must(once == canonical_body(once, form, 100));
  for (size_t i = 0; i < once.size(); ++i) {
    if (once[i] == '\r') must(i + 1 < once.size() && once[i + 1] == '\n');
    if (once[i] == '\n') must(i > 0 && once[i - 1] == '\r');
  }
  must(once == "\r\n" || !once.ends_with("\r\n\r\n"));
  must(form == Canonical::simple || once.find(" \r\n") == std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view message(reinterpret_cast<const char*>(data), size);
  std::string wire;
  BodyEncoder encoder(BodyEncoder::Form::chunk);
  encoder.encode(message, wire);
  encoder.finish(wire);
  for (const Canonical form : {Canonical::relaxed, Canonical::simple}) check_body(message, wire, form);
  const std::vector<SignedField> here = header_fields(message);
  const std::vector<SignedField> there = header_fields(wire);
  must(here.size() == there.size());
  for (size_t i = 0; i < here.size(); ++i) {
    for (const Canonical form : {Canonical::relaxed, Canonical::simple})
      must(canonical_field(here[i].whole, form) == canonical_field(there[i].whole, form));
    must(canonical_field(here[i].whole, Canonical::relaxed).find_first_of("\r\n\t") == std::string::npos);
    const std::string address = first_address(unfolded_value(here[i].whole));
    must(address.empty() || address.find('@') < address.size() - 1);
  }
  if (const std::optional<size_t> start = body_start(message)) {
    const std::optional<size_t> wire_start = body_start(wire);
    must(wire_start.has_value());
    for (const Canonical form : {Canonical::relaxed, Canonical::simple})
      must(canonical_body(message.substr(*start), form, 3) ==
           canonical_body(std::string_view(wire).substr(*wire_start), form, 3));
  }
  return 0;
}
