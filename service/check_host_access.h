// What postern-showctl says of the Host Access Tables and the policies.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace postern {

// Of control/policies alone, also for the listeners that name one of them; or of control/hat and every
// control/hat.LISTENER: what is wrong, by file and line, with the remedy; also that a table has changed since
// it was compiled.
std::vector<std::string> problems_of_host_access(bool policies_alone);

// control/hat.LISTENER, or its compiled form.
bool is_host_access_file(std::string_view name);

}  // namespace postern
