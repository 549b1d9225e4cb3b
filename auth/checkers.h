// Who says whether a password is right: the programs of control/authcheck, in their order.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "auth/exchange.h"
#include "lib/result.h"

namespace postern::auth {

// control/authcheck: a line a checker; without the file "postern-checkpassword" alone.
Result<std::vector<std::string>> read_checkers();

// The first that says yes decides. Doubtful: none has, one said no and one could not say, or one failed in
// another way; unavailable: none could. A checker in path form has the checkpassword interface: descriptor 3
// has the user, the password and a time stamp, each ended by NUL; it runs the program that its arguments name
// (true(1)) or exits 111 when it cannot tell, with a code below 100 for no; any other is trouble of its own.
// "@NAME" is asked "bind USER" with the password on descriptor 0, and answers with the same codes.
Verdict ask_checkers(const std::vector<std::string>& checkers, const std::string& user,
                     const Secret& password, std::string_view remote_ip);

}  // namespace postern::auth
