// parts: queue/bounce_request.cc queue/diagnosis.cc queue/dsn.cc queue/dsn_text.cc lib
//
// A bounce request of any content and the DSN that is made of it: no field, boundary or part comes from the
// request.
#include "queue/bounce_request.h"

#include <cstdint>
#include <string_view>

#include "lib/quoted_printable.h"
#include "lib/text.h"
#include "queue/diagnosis.h"
#include "queue/dsn.h"
#include "lib/utf8.h"
#include "lib/xtext.h"
#include "tests/fuzz/must.h"

using namespace postern;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const Diagnosis diagnosis = diagnose(bytes);
  must(diagnosis.status.starts_with("5.") && diagnosis.status.size() <= 9 &&
       split(diagnosis.status, '.').size() == 3);

  Result<BounceRequest> request = parse_bounce_request(bytes);
  if (!request) {
    must(!request.failure().permanent());
    return 0;
  }
  must(request->mid != 0 && !request->recipients.empty());
  const std::string written = serialise_bounce_request(*request);
  Result<BounceRequest> again = parse_bounce_request(written);
  must(again.ok() && serialise_bounce_request(*again) == written);
  if (request->arrival > 253402300799) request->arrival = 0;  // four-digit years

  if (request->last_try > 253402300799) request->last_try = 0;
  const DsnParts parts = make_dsn(*request, {.full = request->full, .eight_bit = request->smtputf8},
                                  "mx.example.org", 99, 1136214245);
  size_t boundaries = 0;
  size_t actions = 0;
  for (const std::string_view line : split(parts.head, '\n')) {
    for (const char c : line)
      must(c >= 0x20 ? c <= 0x7e : parts.smtputf8 && static_cast<unsigned char>(c) >= 0x80);
    boundaries += line == "--postern.99" ? 1 : 0;
    actions += line.starts_with("Action: ") && action_of(line.substr(8)) ? 1 : 0;
  }
  must(actions >= request->recipients.size() && boundaries >= 3);
  must(!has_8bit_byte(quoted_printable(bytes)) && (!is_international(bytes) || has_8bit_byte(bytes)));
  for (const std::string_view line : split(quoted_printable(bytes), '\n')) must(line.size() <= 76);
  must(decode_xtext(bytes).size() <= bytes.size());
  must(parts.smtputf8 || !has_8bit_byte(parts.head));
  must(parts.tail == "\n--postern.99--\n");
  return 0;
}
