// The alias user: who gets mail for addresses that no mailbox has (postmaster, mailer-daemon, lists of the
// host). It is the owner of the directory alias/ under POSTERN_HOME; .qmail-NAME in it is the address NAME.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/result.h"
#include "local/assign.h"

namespace postern {

// Temporary, 4.3.5, where there is no such directory or it belongs to root. "alias-NAME" is NAME too, as
// where a system user alias has these addresses.
Result<std::optional<MailboxUser>> find_alias(const std::string& directory, std::string_view local_part);

// Has control/virtualdomains (ADDRESS:PREPEND, DOMAIN:PREPEND, .DOMAIN:PREPEND, :PREPEND) a line that may
// have sent mail for this domain here?
bool virtual_domain_listed(std::string_view domain, const std::vector<std::string>& lines);

}  // namespace postern
