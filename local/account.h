// Mailboxes of the accounts of this host, for local-parts that users/cdb does not know (as qmail-getpw).
#pragma once

#include <optional>
#include <string_view>

#include "lib/result.h"
#include "local/assign.h"

namespace postern {

// The account named by the local-part, or by what stands before one of its '-', the longest first. An account
// counts when it is not root and owns its home, which must be there. Asks the name service: not for passing
// programs.
Result<std::optional<MailboxUser>> find_account(std::string_view local_part);

}  // namespace postern
