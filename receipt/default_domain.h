// The domain that completes an address without one (R18): control/defaultdomain.LISTENER, else
// control/defaultdomain. Where there is neither, such addresses are refused.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "lib/result.h"

namespace postern {

// The failure names file, line and remedy.
Result<std::optional<std::string>> default_domain(std::string_view listener);

}  // namespace postern
