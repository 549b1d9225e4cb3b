// What is wrong with a control file of which a line means something only beside the others.
#pragma once

#include <string>
#include <vector>

#include "service/control_files.h"

namespace postern {

// "FILE:LINE: what is wrong; remedy" for each; `path` is the file that `text` was read from. Nothing for
// files that are checked line by line.
std::vector<std::string> problems_of_table(Form form, const std::string& text, const std::string& path);

}  // namespace postern
