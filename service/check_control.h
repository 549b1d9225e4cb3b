// What postern-showctl knows of each control file: its default, and what may be wrong with it.
#pragma once

#include <string>
#include <vector>

#include "lib/result.h"

namespace postern {

struct ControlReport {
  std::string name;
  std::string value;                  // as in force, lists joined by ", "
  bool is_default = false;            // there is no such file
  std::vector<std::string> problems;  // "FILE:LINE: what is wrong; remedy"
};

// All files that Postern knows, in the order of the alphabet, and those in control/ that it does not know.
Result<std::vector<ControlReport>> check_control();

}  // namespace postern
