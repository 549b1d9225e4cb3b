// Root would leave files that the queue's user cannot read: its tools become that user first.
#pragma once

#include <string>

#include "lib/result.h"

namespace postern {

// When we are root: become the owner of the directory, with its group and no other groups.
Result<void> become_owner(const std::string& directory);

}  // namespace postern
