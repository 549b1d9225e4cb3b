// Makes the constant form of a Host Access Table.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/result.h"
#include "receipt/hat_source.h"
#include "receipt/policies.h"

namespace postern {

// The networks of some countries, by their codes.
using CountryNetworks =
    std::function<Result<std::vector<AddressPrefix>>(const std::vector<std::string>& codes)>;

// The table's bytes. The failure (permanent) is FILE:LINE: what is wrong; the remedy: a policy that
// control/policies has not, or a country without a database. `file_name` is that of the groups.
Result<std::string> compile_hat(const std::vector<HatGroup>& groups, const Policies& policies,
                                std::string_view file_name, const CountryNetworks& countries);

// Written, synced and put in place in one step, mode 0644: readers have the old table or the new one.
Result<void> write_hat(const std::string& path, std::string_view bytes);

// control/hat, or that of a listener, control/hat.LISTENER; with ".bin" behind it the compiled one.
std::string hat_file(std::string_view listener);
// A listener whose name can stand in a file's: A-Z, a-z, 0-9, - and _, but not "bin".
bool may_have_a_hat(std::string_view listener);

}  // namespace postern
