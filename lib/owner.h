// Giving up root for the user that owns what a program works on: what root left behind nobody else could
// read.
#pragma once

#include <string>

#include "lib/child.h"
#include "lib/result.h"

namespace postern {

// Become that user, with its group and no other groups. Does nothing when we are not root.
Result<void> become(const Identity& identity);
// When we are root: become the owner of the directory. Does nothing where it is root's own, or is not there:
// then there is nothing to work on, which the program finds out itself.
Result<void> become_owner(const std::string& directory);

}  // namespace postern
