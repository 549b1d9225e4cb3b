// A set: everything that came of one message, in one file, so that one rename commits all of it. It stands in
// the spool sets/ as the message of a queue file until each output is where it belongs. doc/INTERNALS.md has
// the format to the byte.
#pragma once

#include <vector>

#include "lib/result.h"
#include "scanq/part.h"

namespace postern {

// A sealed memory file. A message that several outputs share stands in it once.
Result<Fd> make_set_file(const std::vector<Output>& outputs);

// The outputs, each with a message of its own or one shared. Whatever is not as it should be is a temporary
// failure: the file stays.
Result<std::vector<Output>> read_set_file(int file);

}  // namespace postern
