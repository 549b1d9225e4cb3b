// parts: local/virtual_users.cc local/maildir_quota.cc lib
// A virtual domain's table and maildirsize: whatever is taken is written back as it was read.
#include "local/virtual_users.h"

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/text.h"
#include "tests/fuzz/must.h"

using namespace postern;

namespace {

void check_quota(std::string_view text) {
  const size_t end = text.find('\n');
  const std::optional<Quota> quota = parse_quota(text.substr(0, end));
  if (!quota) return;
  must(quota->limits() && parse_quota(quota_text(*quota)) == quota);
  const std::optional<CountedUsage> counted = parse_maildirsize(text, *quota);
  if (!counted) return;
  must(text.ends_with('\n') && text.size() < kMaildirSizeLimitBytes);
  must(counted->usage.bytes >= 0 && counted->usage.messages >= 0);
  (void)exceeds(*quota, counted->usage, text.size());
}

void check_table(std::string_view text) {
  Result<VirtualTable> table = parse_virtual_table(text, "t");
  if (!table) {
    must(table.failure().permanent() && table.failure().text.starts_with("t:"));
    return;
  }
  must(!table->records.empty() && table->records.back().first.empty());
  for (size_t i = 0; i + 1 < table->records.size(); ++i) {
    const auto& [key, data] = table->records[i];
    must(!key.empty() && key == lower(key) && data.ends_with('\0'));
    for (size_t at = 0; at < data.size(); at = data.find('\0', at) + 1) {
      const std::string_view record(data.c_str() + at);
      must(!record.starts_with('m') || record.find("/../") == std::string_view::npos);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check_quota(text);
  check_table(text);
  (void)size_in_name(text);
  return 0;
}
