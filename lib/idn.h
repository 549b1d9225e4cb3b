// Internationalised domain names. What is compared, looked up in tables or asked of the DNS is in A-labels.
#pragma once

#include <string>
#include <string_view>

#include "lib/result.h"

namespace postern {

// "bücher.example" to "xn--bcher-kva.example" (IDNA 2008, with the mappings of UTS 46), in lower case; what
// is ASCII only in lower case. A dot in front, as tables have it, stays. The failure is permanent, 5.1.2:
// this can be no domain.
Result<std::string> a_labels(std::string_view domain);

}  // namespace postern
