// parts: scanq/stages.cc lib
//
// control/stages of any content: what is taken keeps to its limits, and a failure is one line that says
// where.
#include "scanq/stages.h"

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "lib/text.h"
#include "tests/fuzz/must.h"

using namespace postern;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::vector<std::string> lines;
  for (const std::string_view line : control_lines({reinterpret_cast<const char*>(data), size}))
    lines.emplace_back(line);
  Result<std::vector<Stage>> stages = parse_stages(lines);
  if (!stages) {
    must(stages.failure().exit_code == 55 && !stages.failure().permanent());
    for (const char c : stages.failure().text) must(c >= 0x20 && c <= 0x7e);
    return 0;
  }
  const bool none = lines == std::vector<std::string>{"none"};
  must(stages->size() == (none ? 0 : lines.size()));
  std::set<std::string> names;
  for (const Stage& stage : *stages) {
    must(!stage.name.empty() && names.insert(stage.name).second);
    for (const char c : stage.name)
      must((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_');
    must(!words(stage.program).empty() && stage.timeout_seconds >= 1 && stage.timeout_seconds <= 240);
    for (const std::string& direction : stage.directions) must(stage.runs_in(direction, false));
    must(stage.runs_in("in", true) == (stage.when_released && stage.runs_in("in", false)));
  }
  return 0;
}
