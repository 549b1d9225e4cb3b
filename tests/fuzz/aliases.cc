// parts: receipt/alias_table.cc receipt/line_table.cc lib
// The alias table: whatever is taken comes to at least one recipient and to no more than may be, with no
// alias left in it; whatever is not names its line.
#include "receipt/alias_table.h"

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/text.h"
#include "tests/fuzz/must.h"

using namespace postern;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<std::string> doubts;
  Result<CdbRecords> records = parse_alias_table(text, "t", doubts);
  if (!records) {
    must(records.failure().permanent() && records.failure().text.starts_with("t:"));
    return 0;
  }
  for (const auto& [key, value] : *records) {
    must(key.find('@') != std::string::npos && key == lower(key));
    const size_t end = value.find('\0');
    must(end != std::string::npos && parse_number(value.substr(0, end)).value_or(0) > 0);
    const std::vector<std::string> recipients = alias_recipients_of(std::string_view(value).substr(end + 1));
    must(!recipients.empty() && recipients.size() <= kAliasRecipients);
    for (const std::string& recipient : recipients) {
      must(recipient.find_first_of(" \t\r\n<>,") == std::string::npos);
      must(recipient == kDropped ? recipients.size() == 1 : !domain_of(recipient).empty());
    }
  }
  return 0;
}
