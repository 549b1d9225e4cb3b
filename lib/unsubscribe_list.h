// control/globalunsubscribe: to whom nothing is sent, whatever it is (semantics of Cisco's AsyncOS). A line
// is
//
//   user@domain   that address     user@   that local-part in every domain     192.0.2.1   a host that would
//   be
//   @domain       all of a domain  @.domain  all below it                      2001:db8::1 connected to
//
// Letter case is ignored.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "lib/result.h"
#include "lib/watched_file.h"

namespace postern {

class UnsubscribeList {
 public:
  // `hosts`: the lines that are addresses of hosts alone, for whoever connects: many workers, each with a
  // list of its own.
  enum class Lines { all, hosts };
  // A line that is none is passed over and told in `problems`: "line 3: ...". The others count all the same.
  static UnsubscribeList parse(std::string_view text, std::vector<std::string>& problems,
                               Lines lines = Lines::all);

  // The entry that an address matches; nothing: it may be sent to.
  [[nodiscard]] std::optional<std::string> match(std::string_view address) const;
  // The same of a host's address, without brackets.
  [[nodiscard]] bool has_host(std::string_view address) const;
  [[nodiscard]] bool empty() const { return addresses_.empty() && hosts_.empty(); }
  [[nodiscard]] size_t size() const { return addresses_.size() + hosts_.size(); }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  using Set = std::unordered_set<std::string, Hash, std::equal_to<>>;
  Set addresses_;  // in the forms of the lines, lower case
  Set hosts_;      // as inet_ntop has them
};

// The file as it is now: read again when it has changed. What cannot be read keeps what was read before.
class UnsubscribeFile {
 public:
  explicit UnsubscribeFile(UnsubscribeList::Lines lines = UnsubscribeList::Lines::all);
  const UnsubscribeList& list();

 private:
  UnsubscribeList::Lines lines_;
  WatchedFile file_;
  UnsubscribeList list_;
};

}  // namespace postern
