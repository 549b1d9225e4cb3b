#include "service/selftest_options.h"

#include <algorithm>
#include <array>

#include "lib/control.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr uint64_t kLongestSeconds = 3600;
constexpr std::string_view kLocalPart = "postern-selftest";

Failure wrong(const std::string& what) {
  return permanent(what + "; " + kSelftestUsage);
}

bool names_scanner(std::string_view word, bool for_spam) {
  static constexpr std::array<std::string_view, 2> kVirus = {"antivirus", "clamd"};
  static constexpr std::array<std::string_view, 1> kSpam = {"antispam"};
  const auto is_part = [&](std::string_view name) { return word.find(name) != std::string_view::npos; };
  return for_spam ? std::any_of(kSpam.begin(), kSpam.end(), is_part)
                  : std::any_of(kVirus.begin(), kVirus.end(), is_part);
}

}  // namespace

Result<SelftestOptions> parse_selftest_options(const std::vector<std::string>& arguments) {
  SelftestOptions options;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& name = arguments[i];
    if (name == "-q" || name == "--quiet") {
      options.quiet = true;
      continue;
    }
    const bool known =
        name == "--seconds" || name == "--to" || name == "--virus-quarantine" || name == "--spam-quarantine";
    if (!known) return wrong("there is no option \"" + printable(name, 40) + "\"");
    if (i + 1 == arguments.size() || arguments[i + 1].empty()) return wrong(name + " needs a value");
    const std::string& value = arguments[++i];
    if (name == "--virus-quarantine") options.virus_quarantine = value;
    if (name == "--spam-quarantine") options.spam_quarantine = value;
    if (name == "--to") {
      if (domain_of(value).empty() || value.find_first_of("<> \t\r\n") != std::string::npos)
        return wrong("\"" + printable(value, 60) + "\" is no address");
      options.recipient = value;
    }
    if (name == "--seconds") {
      const std::optional<uint64_t> seconds = parse_number(value);
      if (!seconds || *seconds == 0 || *seconds > kLongestSeconds)
        return wrong("--seconds takes 1 to " + std::to_string(kLongestSeconds));
      options.seconds = *seconds;
    }
  }
  return options;
}

Result<std::string> selftest_recipient() {
  Result<std::optional<std::vector<std::string>>> locals = control_list("locals");
  if (!locals) return locals.failure();
  Result<std::string> me = control_me();
  if (!me) return me.failure();
  for (const std::string& domain : locals->value_or(std::vector<std::string>{*me})) {
    if (!domain.starts_with('.')) return std::string(kLocalPart).append("@").append(domain);
  }
  return permanent(
      "control/locals names no domain, so no mailbox here throws the test messages away; name an address "
      "with "
      "--to");
}

std::vector<std::string> stages_that_scan(const std::vector<std::string>& lines, bool for_spam) {
  std::vector<std::string> found;
  for (const std::string& line : lines) {
    const std::vector<std::string_view> all = words(line);
    if (all.size() < 2) continue;
    const std::string_view program = all[1].substr(all[1].find_last_of("/@") + 1);
    if (names_scanner(all[0], for_spam) || names_scanner(program, for_spam)) found.push_back(line);
  }
  return found;
}

}  // namespace postern
