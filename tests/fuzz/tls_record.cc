// parts: remote/sts_policy.cc remote/sts_answer.cc remote/tag_record.cc
// parts: remote/tlsrpt_record.cc remote/tlsrpt_day.cc
// parts: lib
//
// Lines of a day's file: what is taken is written the same again, and is summed up whatever it is.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "lib/text.h"
#include "remote/tlsrpt_day.h"
#include "tests/fuzz/must.h"

using namespace postern;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  TlsDay day;
  for (const std::string_view line : split(text, '\n')) {
    const Result<TlsRecord> record = parse_tls_line(line);
    if (!record) continue;
    const std::string written = format_tls_line(*record);
    must(written.size() <= kTlsRecordLimitBytes + 1 && written.find('\n') == written.size() - 1);
    const Result<TlsRecord> again = parse_tls_line(std::string_view(written).substr(0, written.size() - 1));
    must(again.ok() && again->domain == record->domain && again->result == record->result);
    day.add(*record);
  }
  for (const auto& [domain, sums] : day.domains) must(!sums.empty() && !domain.empty());
  must(is_day(text) == (is_day(text) && day_of(day_begins(text)) == text));
  return 0;
}
