// Mailboxes of the accounts of this host, for local-parts that users/cdb does not know (as qmail-getpw).
#pragma once

#include <pwd.h>

#include <optional>
#include <string>
#include <string_view>

#include "lib/result.h"
#include "local/assign.h"

namespace postern {

// The account named by the local-part, or by what stands before one of its '-', the longest first. Asks the
// name service: not for passing programs.
Result<std::optional<MailboxUser>> find_account(std::string_view local_part);

// The mailbox of one account: nothing for root, and for an account of the system (uid below 1000, or the home
// /nonexistent) that has no home, and where the home is another's. Any other account whose home is missing is
// a temporary failure: a home that is not mounted must not bounce mail.
Result<std::optional<MailboxUser>> mailbox_of_account(const std::string& name, const passwd& entry);

}  // namespace postern
