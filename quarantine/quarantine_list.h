// One line about a held message, for people and for scripts: no header line, TAB between the fields, foreign
// bytes made safe, so that no sender or subject can forge a field or a line.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/queue_file.h"

namespace postern {

// "2006-01-02T15:04:05Z"
std::string iso8601_utc(uint64_t microseconds_since_1970);

// The value of the first field of that name in a header, folded lines joined; empty when there is none.
// `name` is in lower case, without the colon.
std::string header_value(std::string_view header, std::string_view name);

// MID, quarantine, date, size, <sender>, <recipient>,<recipient>…, subject, reason; with the LF.
std::string held_line(uint64_t mid, std::string_view quarantine, const QueuedMessage& message,
                      std::string_view subject);

}  // namespace postern
