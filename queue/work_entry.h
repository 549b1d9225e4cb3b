// POSTERN_WORK: the entry of another spool that a message was made of, "work/MID" or "sets/MID". While that
// entry stands it may be handed on once more, so what was made of it must be known again until then.
#pragma once

#include <string_view>

#include "lib/environment.h"

namespace postern {

// Does it name an entry of those? "quarantine/MID" is one of a spool that we cannot look into.
bool is_work_entry(std::string_view work);
// Does the entry stand in new/ or cur/? What cannot be found out counts as standing; what names no entry does
// not.
bool work_entry_stands(std::string_view work);
// The one that the message's variables name; none: false.
bool waits_for_work_entry(const Environment& kept);

}  // namespace postern
