// What is wrong with one line of a control file; empty: nothing. The text goes behind the line that it is
// about, and says the remedy.
#pragma once

#include <string>
#include <string_view>

#include "service/control_files.h"

namespace postern {

// Lines of tables that mean something only as a whole pass: problems_of_table() judges those.
std::string problem_of_line(Form form, std::string_view line);

}  // namespace postern
