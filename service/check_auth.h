// What is wrong with the control files of AUTH. Each problem says what to write instead.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "service/check_control.h"

namespace postern {

// A line of control/authcheck, of control/authmechanisms; empty: nothing.
std::string problem_of_checker(std::string_view line);
std::string problem_of_mechanisms(std::string_view line);
// Where SCRAM is offered, and nobody has what it needs.
void warn_of_scram(std::vector<ControlReport>& reports);

}  // namespace postern
