// parts: queue/reports.cc lib
//
// What a delivery program reports; the first byte is the number of recipients. Each has exactly one outcome;
// "delivered" and "permanent" were said of it or of the message in a complete report.
#include "queue/reports.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "lib/text.h"
#include "tests/fuzz/must.h"

using namespace postern;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const size_t recipients = data[0];
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::vector<RecipientReport> reports = parse_reports(bytes, recipients);
  must(reports.size() == recipients);

  // The plain reading: recipients' letters, then the message's.
  std::string letters;
  char whole = 0;
  std::vector<std::string_view> parts = split(bytes, '\0');
  parts.pop_back();  // what has no NUL behind it
  for (const std::string_view part : parts) {
    if (part.empty() || std::string_view("rpehsuwKZD").find(part.front()) == std::string_view::npos) break;
    if (std::string_view("KZD").find(part.front()) != std::string_view::npos) {
      whole = part.front();
      break;
    }
    letters += part.front();
  }
  for (size_t i = 0; i < recipients; ++i) {
    const char own = i < letters.size() ? letters[i] : '\0';
    const Outcome outcome = reports[i].outcome;
    const bool stands = whole == 'K' && letters.size() == recipients;
    must((outcome == Outcome::delivered) == (own == 'r' && stands));
    must((outcome == Outcome::passed_on) == (own == 'p' && stands));
    must((outcome == Outcome::expanded) == (own == 'e' && stands));
    must((outcome == Outcome::unsubscribed) == (own == 'u' && stands));
    must((outcome == Outcome::held_back) == (own == 'w'));
    if (outcome == Outcome::permanent) must(own == 'h' || (whole == 'D' && own != 's' && own != 'w'));
    if (own == 'h') must(outcome == Outcome::permanent);
    if (own == 's') must(outcome == Outcome::temporary);
    must(reports[i].text.find('\0') == std::string::npos);
  }
  return 0;
}
