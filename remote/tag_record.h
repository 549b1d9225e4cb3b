// TXT records of the form "v=NAME; tag=value; ...": those of MTA-STS (RFC 8461 3.1) and TLSRPT (RFC 8460 3).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/result.h"

namespace postern {

// The TXT records of a name. That there are none is no failure; that nobody knows is (temporary, 4.4.3).
Result<std::vector<std::string>> ask_txt(std::string_view dns_program, const std::string& name,
                                         int64_t deadline_milliseconds);

// The one that begins with `begin` and a semicolon; nothing when there is none or more than one.
std::optional<std::string_view> only_record(const std::vector<std::string>& records, std::string_view begin);

// What the first "NAME=" of the record says. MTA-STS allows no blanks around "=" (RFC 8461 3.1).
std::optional<std::string_view> tag_of(std::string_view record, std::string_view name);
// What each "NAME=" says, in order, without blanks around "=" (those of TLSRPT may have them, RFC 8460 3).
std::vector<std::string_view> loose_tags_of(std::string_view record, std::string_view name);

}  // namespace postern
