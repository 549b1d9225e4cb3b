// Is there a mailbox of this host for an address: what postern-lspawn and postern-local would find, as far as
// somebody who is neither root nor the mailbox's user may know. What cannot be seen is not known, and never
// taken for missing.
#pragma once

#include <string>
#include <string_view>

#include "lib/result.h"
#include "lib/rewrite.h"

namespace postern {

enum class Existence { yes, no, not_known };

struct MailboxExistence {
  Existence existence = Existence::not_known;
  std::string why;  // for people, on one line
};

struct MailboxPlaces {
  Rewriting rewriting;     // control/locals and control/virtualdomains
  std::string users_cdb;   // users/cdb
  std::string alias_home;  // alias/
  bool accounts = false;   // deliveries go to the accounts of this host, too
};

// Moves to the home that it looks into, and stays there.
MailboxExistence mailbox_exists(const MailboxPlaces& places, std::string_view recipient);

// The user and the table that a .qmail line of postern-vdeliver alone names; `name` is what the address has
// for it. Nothing: it is another program, or the shell would have a say.
struct VirtualLookup {
  std::string user;
  std::string table;
};
std::optional<VirtualLookup> virtual_lookup(std::string_view command, std::string_view name);

}  // namespace postern
