// The command line of postern-selftest.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lib/result.h"

namespace postern {

struct SelftestOptions {
  bool quiet = false;
  uint64_t seconds = 60;
  std::string recipient;  // empty: postern-selftest at the first of control/locals
  std::string virus_quarantine = "Virus";
  std::string spam_quarantine = "Spam";
};

constexpr const char* kSelftestUsage =
    "usage: postern-selftest [-q] [--seconds N] [--to ADDRESS] [--virus-quarantine NAME] "
    "[--spam-quarantine NAME]";

Result<SelftestOptions> parse_selftest_options(const std::vector<std::string>& arguments);

// control/locals, else control/me; the failure says that --to is needed.
Result<std::string> selftest_recipient();

// The lines of control/stages that look for viruses, or for spam: by the name of the stage or of its program.
std::vector<std::string> stages_that_scan(const std::vector<std::string>& lines, bool for_spam);

}  // namespace postern
