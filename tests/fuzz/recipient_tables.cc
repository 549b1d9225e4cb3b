// parts: receipt/recipient_table.cc receipt/domain_map.cc receipt/recipient_settings.cc
// parts: receipt/line_table.cc lib
//
// The recipient access table, the domain map and the settings of the checks: what is taken is understood when
// it is looked up, and can be said to a client; what is not names its line.
#include <cstdint>
#include <string>
#include <string_view>

#include "lib/callahead_profiles.h"
#include "lib/text.h"
#include "receipt/domain_map.h"
#include "receipt/recipient_settings.h"
#include "receipt/recipient_table.h"
#include "tests/fuzz/must.h"

using namespace postern;

namespace {

LineMatch match_of(const std::string& value) {
  const size_t end = value.find('\0');
  must(end != std::string::npos);
  const std::optional<uint64_t> line = parse_number(value.substr(0, end));
  must(line && *line > 0);
  return {*line, value.substr(end + 1)};
}

void check_table(std::string_view text) {
  std::vector<std::string> doubts;
  Result<CdbRecords> records = parse_recipient_table(text, "t", doubts);
  if (!records) {
    must(records.failure().permanent() && records.failure().text.starts_with("t:"));
    return;
  }
  for (const auto& [key, value] : *records) {
    must(key == "*" || key.find('@') != std::string::npos);
    const std::optional<RecipientEntry> entry = recipient_entry_of(match_of(value));
    must(entry.has_value());
    if (!entry->reply) continue;
    const std::string line = entry->reply->line();
    must(line.find_first_of("\r\n") == std::string::npos && line.size() < 500);
    must((entry->reply->code[0] == '2') == entry->accepts && entry->reply->status[0] == line[0]);
  }
}

void check_map(std::string_view text) {
  std::vector<std::string> doubts;
  Result<CdbRecords> records = parse_domain_map(text, "t", doubts);
  if (!records) {
    must(records.failure().permanent() && records.failure().text.starts_with("t:"));
    return;
  }
  for (const auto& [key, value] : *records) {
    const std::string to = mapped_address("a@b", match_of(value).value);
    must(to.find('@') != std::string::npos && !to.starts_with('@') && !domain_of(to).starts_with('.'));
    must(to.find_first_of(" \t\r\n<>,") == std::string::npos);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_table(text);
  check_map(text);
  const Result<RecipientSettingsTable> settings = RecipientSettingsTable::parse(text, "t");
  must(settings.ok() || settings.failure().text.find("read t line ") == 0);
  const Result<CallAheadProfiles> profiles = CallAheadProfiles::parse(text, "t");
  if (!profiles) {
    must(profiles.failure().text.find("read t line ") == 0);
    return 0;
  }
  for (const auto& [name, profile] : profiles->all())
    must(profile.timeout >= 1 && profile.mail_from.find_first_of("<>\r\n \t") == std::string::npos);
  return 0;
}
