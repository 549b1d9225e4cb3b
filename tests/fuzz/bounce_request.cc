// parts: queue/bounce_request.cc queue/diagnosis.cc queue/dsn.cc queue/dsn_text.cc lib
//
// A bounce request of any content and the DSN that is made of it: no field, boundary or part comes from the
// request.
#include "queue/bounce_request.h"

#include <cstdint>
#include <string_view>

#include "lib/quoted_printable.h"
#include "lib/text.h"
#include "lib/utf8.h"
#include "lib/xtext.h"
#include "queue/diagnosis.h"
#include "queue/dsn.h"
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
  BounceTemplate words;
  if (!request->bounce_template.empty())
    words["failed"] = {.subject = "f\xc3\xbcr", .text = "f\xc3\xbcr $Sender, $Until:\n$Recipients\n"};
  const bool full = request->full && !request->plain;
  const DsnParts parts = make_dsn(*request, {.full = full, .eight_bit = request->smtputf8}, "mx.example.org",
                                  99, 1136214245, words);
  size_t boundaries = 0;
  size_t actions = 0;
  for (const std::string_view line : split(parts.head, '\n')) {
    for (const char c : line)
      must(c >= 0x20 ? c <= 0x7e : parts.smtputf8 && static_cast<unsigned char>(c) >= 0x80);
    boundaries += line == "--postern.99" ? 1 : 0;
    actions += line.starts_with("Action: ") && action_of(line.substr(8)) ? 1 : 0;
  }
  must(request->plain || (actions >= request->recipients.size() && boundaries >= 3));
  // A report's own words may look like a code, and never make more of it than it is.
  const Said said = said_in(bytes);
  must(said.code.size() <= 3 && said.text.size() <= bytes.size() && status_words(said.status).size() > 0);
  must(!has_8bit_byte(quoted_printable(bytes)) && (!is_international(bytes) || has_8bit_byte(bytes)));
  for (const std::string_view line : split(quoted_printable(bytes), '\n')) must(line.size() <= 76);
  must(decode_xtext(bytes).size() <= bytes.size());
  must(parts.smtputf8 || !has_8bit_byte(parts.head));
  must(parts.tail == (request->plain ? "" : "\n--postern.99--\n"));
  return 0;
}
