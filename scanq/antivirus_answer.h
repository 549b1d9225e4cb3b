// What a stage that looks for viruses does with what it found.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/environment.h"
#include "scanq/antivirus_verdict.h"

namespace postern {

// Logs it as `engine`'s, appends the verdict lines to `output`, returns the stage's exit code.
int answer_verdict(const AntivirusVerdict& verdict, std::string_view engine, const Environment& environment,
                   std::string& output);

}  // namespace postern
