// parts: local/assign.cc lib
// users/assign: whatever is taken names no root, no relative home and only keys of the table's form.
#include "local/assign.h"

#include <cstdint>
#include <string_view>

#include "lib/text.h"
#include "tests/fuzz/must.h"

using namespace postern;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  Result<AssignTable> table = parse_assign({reinterpret_cast<const char*>(data), size}, "assign");
  if (!table) {
    must(table.failure().permanent() && table.failure().text.starts_with("assign:"));
    return 0;
  }
  must(!table->records.empty() && table->records.back().first.empty());
  for (size_t i = 0; i + 1 < table->records.size(); ++i) {
    const auto& [key, value] = table->records[i];
    must(key.starts_with('!') && key == lower(key));
    const std::vector<std::string_view> fields = split(value, '\0');
    must(fields.size() == 6 && !fields[0].empty() && fields[3].starts_with('/'));
    must(parse_unprivileged_id(fields[1]).value_or(0) != 0 &&
         parse_unprivileged_id(fields[2]).value_or(0) != 0);
  }
  return 0;
}
