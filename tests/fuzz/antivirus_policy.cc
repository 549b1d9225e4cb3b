// parts: scanq/antivirus_policy.cc scanq/edits.cc lib
//
// control/antivirus of any content: what is taken says for every verdict and direction what becomes of the
// message, in arguments that no verdict line and no header field can be broken with; a failure is one line
// that says where.
#include "scanq/antivirus_policy.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "lib/text.h"
#include "lib/utf8.h"
#include "tests/fuzz/must.h"

using namespace postern;

namespace {

void check_text(std::string_view text) {
  must(is_utf8(text));
  for (const char c : text) must(c < 0 || (c >= ' ' && c != 0x7f));
}

void check(const std::vector<AntivirusAction>& actions) {
  must(std::count_if(actions.begin(), actions.end(),
                     [](const AntivirusAction& action) { return is_final(action.what); }) <= 1);
  must(!actions.empty());
  for (const AntivirusAction& action : actions) {
    check_text(action.first);
    check_text(action.second);
    if (action.what == AntivirusDo::reject) must(action.first.empty() || action.first.front() == '5');
    if (action.what == AntivirusDo::notify) must(action.second.find('/') == std::string::npos);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Result<AntivirusPolicy> policy = parse_antivirus_policy(text);
  if (!policy) {
    must(policy.failure().exit_code == 55 && !policy.failure().permanent());
    must(policy.failure().text.starts_with("read control/antivirus:"));
    for (const char c : policy.failure().text) must(c >= 0x20 && c <= 0x7e);
    return 0;
  }
  for (const auto& verdict : policy->actions)
    for (const std::vector<AntivirusAction>& actions : verdict) check(actions);
  const AntivirusVariables variables{"infected", "$MID", "", "", "1", "mx", ""};
  must(expand_antivirus_text(text, variables).size() <= 9 * size);
  return 0;
}
