// For which domains mail is taken from anybody where there is no recipient table, as in qmail.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/cdb_table.h"
#include "lib/result.h"

namespace postern {

struct RecipientHosts {
  std::vector<std::string> our_domains;  // control/rcpthosts, else control/locals, else control/me
  std::optional<CdbTable> more_domains;  // control/morercpthosts.cdb

  static Result<RecipientHosts> read(const std::string& me);
  // `domain` in A-labels.
  Result<bool> is_ours(std::string_view domain);
};

}  // namespace postern
