// POSTERN_WORK: the entry of another spool that a message was made of, "work/MID" or "sets/MID". While that
// entry stands it may be handed on once more, so what was made of it must be known again until then.
#pragma once

#include <optional>
#include <string_view>

#include "lib/environment.h"

namespace postern {

// Does the entry stand in new/ or cur/? What cannot be found out counts as standing. None: it names no entry
// of these spools ("quarantine/MID" is one of a spool that we cannot look into).
std::optional<bool> work_entry_stands(std::string_view work);
// The one that the message's variables name; none: false.
bool waits_for_work_entry(const Environment& kept);

}  // namespace postern
