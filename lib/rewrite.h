// Where a recipient goes: to this host or to another one, as qmail-send decides it from control/locals and
// control/virtualdomains. One look-up for each part of the domain, however many domains there are.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "lib/result.h"

namespace postern {

struct Rewritten {
  bool local = false;
  std::string address;  // what the delivery program is given: with a domain, and with its virtual prefix
  std::string domain;   // lower-case
};

class Rewriting {
 public:
  Rewriting() = default;
  // `locals` as domain_listed() has them. `virtual_domains`: lines "user@domain:prefix", "domain:prefix",
  // ".domain:prefix" and ":prefix"; without a prefix what matches is remote. A line without a colon is a
  // failure.
  static Result<Rewriting> make(std::string me, const std::vector<std::string>& locals,
                                const std::vector<std::string>& virtual_domains);

  [[nodiscard]] Rewritten of(std::string_view recipient) const;
  // The first domain that is named in full in `locals`; empty: none is.
  [[nodiscard]] const std::string& a_local_domain() const { return a_local_domain_; }

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  [[nodiscard]] bool is_local(std::string_view domain) const;
  // The prefix of the entry that fits best; null: none does.
  [[nodiscard]] const std::string* prefix_of(std::string_view address, std::string_view domain) const;

  std::string me_;
  std::string a_local_domain_;
  std::unordered_set<std::string, Hash, std::equal_to<>> locals_;
  std::unordered_map<std::string, std::string, Hash, std::equal_to<>> virtual_;
};

}  // namespace postern
