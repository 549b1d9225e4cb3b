// The domain map, control/domainmap (postern-domainmap(5)): recipients that are taken as another address,
// before anything is decided of them. The header stays as it is.
//
//   user@example.com  user2@example.net        user@.example.com  user2@example.net
//   @example.com      @example.net             @.example.com      user@example.net
#pragma once

#include <string>
#include <string_view>

#include "receipt/line_table.h"

namespace postern {

constexpr size_t kDomainMapLines = 20000;

// The failure (permanent) names file, line and remedy. Lines that can never count are told in `doubts`.
Result<CdbRecords> parse_domain_map(std::string_view text, std::string_view file,
                                    std::vector<std::string>& doubts);
// What the address becomes by what a line has on its right side.
std::string mapped_address(std::string_view address, std::string_view target);

}  // namespace postern
