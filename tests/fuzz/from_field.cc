// parts: receipt/from_field.cc receipt/encoded_words.cc receipt/send_as.cc receipt/spoof.cc
// parts: smtpd/header_scan.cc sign/author.cc
// libs: -lunistring
// A hostile header. What parse_from() understands, a lenient reader does not take for somebody else's; and a
// message that passes has one author that is the user's, however the fields are written.
#include "receipt/from_field.h"

#include <algorithm>
#include <cstdint>

#include "lib/text.h"
#include "receipt/encoded_words.h"
#include "receipt/spoof.h"
#include "sign/author.h"
#include "smtpd/header_scan.h"
#include "tests/fuzz/must.h"

using namespace postern;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  (void)decode_encoded_words(input);
  const FromField field = parse_from(input);
  if (field.understood()) {
    for (const std::string& address : field.addresses) {
      must(address.find('@') != std::string::npos && comparable_address(address) == address);
      for (const char c : address) must(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
      const FromField again = parse_from(address);
      must(!again.understood() || again.addresses == std::vector<std::string>{address});
    }
    // The signer's reader keeps quotes that an address can do without.
    const std::string first = first_address(input);
    const bool quoted = first.find('"') != std::string::npos;
    must(first.empty() || quoted || comparable_address(first) == field.addresses.at(0));
  }

  static const SendAs kTable = *SendAs::parse("alice: a@b.c\n", "control/sendas", {"example.org"});
  smtpd::HeaderScan scan;
  scan.keep_authors();
  for (size_t i = 0; i < input.size(); i += 7) scan.take(input.substr(i, 7));
  scan.finish();
  if (!check_authors(kTable, "alice", scan.authors()).passes()) return 0;
  // A plain look at the lines: one field alone is called From, and it has an address of alice's.
  size_t fields = 0;
  for (const std::string_view line : split(input, '\n')) {
    if (line.empty()) break;
    const size_t colon = line.find(':');
    if (line.front() == ' ' || line.front() == '\t' || colon == std::string_view::npos) continue;
    if (equal_ignoring_case(trim(line.substr(0, colon)), "from")) ++fields;
  }
  must(fields == 1);
  const std::string small = lower(input);
  must(small.find("a@b.c") != std::string::npos || small.find("alice") != std::string::npos);
  return 0;
}
