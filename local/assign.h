// users/assign as text and users/cdb as what is made of it, in the format of qmail-users(5) and
// qmail-newu(8):
//
//   =local:user:uid:gid:homedir:dash:ext:   key "!local" NUL   this address
//   +loc:user:uid:gid:homedir:dash:pre:     key "!loc"         every address that begins so
//   .                                       the end            key "" holds the last bytes of all "+" keys
//
// with data user NUL uid NUL gid NUL homedir NUL dash NUL ext. Keys are lower-case.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/cdb_table.h"
#include "lib/result.h"

namespace postern {

// Whose mailbox it is and what is left of the address for him.
struct MailboxUser {
  std::string user;
  uid_t uid = 0;
  gid_t gid = 0;
  std::string home;
  std::string dash;
  std::string ext;
};

// A decimal uid or gid that mail may be delivered as: not 0 and not the two that mean "none".
std::optional<uint32_t> parse_unprivileged_id(std::string_view text);

struct AssignTable {
  CdbRecords records;               // in the file's order
  std::vector<std::string> doubts;  // lines that can never count, as "FILE:LINE: WHY"
};

// The failure names `name`, the line and the remedy.
Result<AssignTable> parse_assign(std::string_view text, std::string_view name);

// The exact address first, then the longest wildcard. Nothing when none fits or there is no file.
Result<std::optional<MailboxUser>> find_assigned_user(const std::string& path, std::string_view local_part);

}  // namespace postern
