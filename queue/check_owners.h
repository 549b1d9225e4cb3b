// The first step of postern-qcheck: everything in a spool belongs to the owner of the spool. Only root can
// mend that, and it must not be led out of the spool by what that owner has put there.
#pragma once

#include <string>

#include "queue/findings.h"

namespace postern {

void check_owners(const std::string& directory, Findings& findings);

}  // namespace postern
