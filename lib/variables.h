// Variables in texts that an operator writes: $Name, of letters, stands for a value; $$ for a dollar sign,
// which one in front of no letter is too.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern {

// The first name in the text that is not among `known`; empty where all are.
std::string_view unknown_variable(std::string_view text, const std::vector<std::string_view>& known);

// With the values, as they are, in the places of the names. A name that has no value stays.
std::string expand_variables(std::string_view text,
                             const std::vector<std::pair<std::string_view, std::string>>& values);

}  // namespace postern
