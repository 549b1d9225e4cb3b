// How lists print a held message. For people and for shell scripts: a line for each quarantine that holds
// it, no heading, TAB between the fields, foreign bytes made safe, so that no sender or subject can forge a
// field or a line. For programs: one JSON object.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "quarantine/held.h"

namespace postern::quarantine {

// "2006-01-02T15:04:05Z"
std::string iso8601_utc(uint64_t microseconds_since_1970);

// The value of the first field of that name in a header, folded lines joined; empty when there is none.
// `name` is in lower case, without the colon.
std::string header_value(std::string_view header, std::string_view name);

// MID, quarantine, date, size, <sender>, <recipient>,<recipient>…, subject, reason, the other quarantines
// that hold it (separated by commas), when it expires; with the LF. `only`: just that quarantine's line, or
// all when it is empty.
std::string held_lines(const HeldRow& row, std::string_view only);

// The object without the LF.
std::string held_json(const HeldRow& row);

}  // namespace postern::quarantine
