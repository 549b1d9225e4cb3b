// Files below secrets/: keys, passwords. One that others can read is not used, so that nobody goes on with it
// for years.
#pragma once

#include <string>

#include "lib/result.h"

namespace postern {

// The failures are temporary (4.3.5, exit code 55) and name the remedy.
Result<void> check_secret(const std::string& path);
Result<std::string> read_secret(const std::string& path, size_t limit_bytes);

}  // namespace postern
