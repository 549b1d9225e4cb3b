// parts: receipt/access_table.cc receipt/access_question.cc
// libs: -lre2
//
// One of the operator's lists, and an address to look for: the first line is the address, the rest the file.
// A failure is one line that names the file; the line that decides is one of the file's.
#include "receipt/access_table.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "tests/fuzz/must.h"

using namespace postern;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const auto list = static_cast<AccessList>(data[0] % 3);
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string_view value = input.substr(0, input.find('\n'));
  const std::string_view text = input.substr(std::min(value.size() + 1, input.size()));
  const Result<AccessTable> table = AccessTable::parse(text, "FILE", list);
  if (!table) {
    must(!table.failure().permanent() && table.failure().text.starts_with("FILE:"));
    for (const char c : table.failure().text) must(c >= 0x20 && c <= 0x7e);
    return 0;
  }
  const AccessVerdict verdict = table->judge(value);
  const auto lines = static_cast<size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  must(verdict.line <= lines && (verdict.line != 0 || verdict.welcome));
  must((verdict.line != 0) != verdict.text.empty());
  must(verdict.line == 0 || verdict.welcome == verdict.text.starts_with('!'));
  for (const char c : verdict.text) must(c >= 0x20 && c <= 0x7e);
  return 0;
}
