// The table of a virtual domain's users, postern-mailboxes(5): text that the domain's owner writes, and the
// constant database beside it that postern-vdeliver looks them up in.
//
//   NAME  ./DIRECTORY/  &ADDRESS  quota=SIZE,COUNT  bounce  delete
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/cdb_table.h"
#include "lib/result.h"
#include "local/maildir_quota.h"

namespace postern {

struct VirtualUser {
  std::string maildir;  // begins with . or / and ends with /; empty: none
  std::vector<std::string> forwards;
  Quota quota;
  bool bounces = false;  // whoever writes there is told that there is no such mailbox
  bool deletes = false;  // mail is taken and thrown away
};

struct VirtualTable {
  CdbRecords records;
  std::vector<std::string> doubts;  // lines that can never count
};

// The failure is permanent and names `name`, the line and the remedy.
Result<VirtualTable> parse_virtual_table(std::string_view text, std::string_view name);

// NAME@DOMAIN, then NAME, then *@DOMAIN, then *; nothing where none is there. The table is `path`, and
// missing is temporary: a domain has one. Who delivers by it wants it to be its owner's; whether a mailbox is
// there its owner may say anyhow.
Result<std::optional<VirtualUser>> find_virtual_user(const std::string& path, std::string_view name,
                                                     std::string_view domain,
                                                     CdbOwner owner = CdbOwner::root_or_us);

}  // namespace postern
