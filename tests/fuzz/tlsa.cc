// parts: remote/tlsa.cc lib
//
// TLSA data as a hostile zone may hold it, a record a line: what counts has the length of its digest, none
// counts beside a stronger one, what is shown is printable, and what was read has one form.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/text.h"
#include "must.h"
#include "remote/tlsa.h"

using namespace postern;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<std::string> lines;
  for (const std::string_view line : split(text, '\n')) lines.emplace_back(line);
  if (lines.size() > 256) return 0;
  const std::vector<JudgedTlsa> all = judge_tlsa(lines);
  must(all.size() == lines.size());
  for (const JudgedTlsa& judged : all) {
    must(std::all_of(judged.text.begin(), judged.text.end(), [](char c) { return c >= 0x20 && c < 0x7f; }));
    if (!judged.unusable.empty()) continue;
    const Tlsa& record = judged.record;
    must(record.usage == 2 || record.usage == 3);
    must(record.selector <= 1 && record.matching <= 2);
    must(record.matching == 0 ? record.data.size() > 2 : record.data.size() == 32 * record.matching);
    for (const JudgedTlsa& other : all) {
      const bool same = other.unusable.empty() && other.record.usage == record.usage &&
                        other.record.selector == record.selector;
      must(!same || record.matching == 0 || other.record.matching <= record.matching);
    }
  }
  for (const std::string& line : lines) {
    const std::optional<Tlsa> record = parse_tlsa(line);
    if (!record) continue;
    const std::optional<Tlsa> again = parse_tlsa(format_tlsa(*record));
    must(again && again->data == record->data && format_tlsa(*again) == format_tlsa(*record));
  }
  return 0;
}
