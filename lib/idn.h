// Internationalised domain names: what is asked of the DNS and looked up in control/smtproutes is in
// A-labels.
#pragma once

#include <string>
#include <string_view>

#include "lib/result.h"

namespace postern {

// "bücher.example" to "xn--bcher-kva.example" (IDNA 2008, with the mappings of UTS 46); ASCII names and
// address literals as they are. The failure is permanent, 5.1.2: this can be no domain.
Result<std::string> a_labels(std::string_view domain);

}  // namespace postern
