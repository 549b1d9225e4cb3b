// control/hat as text, in the form of Cisco's Host Access Table (postern-hattable(5)):
//
//   BLOCKED_LIST:
//       192.0.2.0/24        (a spammer)
//       SBRS[-10:-3]
//       $BLOCKED            (what stands between parentheses, and behind #, does not count)
//   203.0.113. TCPREFUSE
//   ALL: $ACCEPTED
//
// A sender group is its name, its entries, and the policy or access rule that ends it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/result.h"
#include "receipt/address_prefix.h"
#include "receipt/mail_flow_policy.h"

namespace postern {

enum class HatKind : uint8_t {
  addresses,
  name,       // host.example.org, .example.org
  score,      // SBRS[-4:-2]
  no_score,   // SBRS[none]
  dns_list,   // dnslist[zone], dnslist[zone=127.0.0.2,127.0.0.4]
  no_ptr,     // nx.domain: the client's address has no PTR record
  ptr_fails,  // serv.fail: its PTR record cannot be looked up for now
  differs,    // not.double.verified: no name that its PTR gives has that address
  nowhere,    // ptr.unresolved: and none of them has any address at all
  country,    // country[DE,FR]
  owner,      // SBO:123, which matches nobody: we know no owners
  all,
};

struct HatEntry {
  HatKind kind = HatKind::all;
  std::string text;  // as written
  size_t line = 0;
  std::vector<AddressPrefix> networks{};
  std::string name{};                 // a host in A-labels, or a zone
  int lowest = 0;                     // score: tenths, -100 to 100, both ends count
  int highest = 0;                    //
  std::vector<std::string> values{};  // the list's answers that count (none: all), or countries
};

struct HatGroup {
  std::string name;  // empty: entries that stand alone
  size_t line = 0;
  std::vector<HatEntry> entries;
  std::string policy;  // empty: the rule alone, with DEFAULT's parameters
  AccessRule rule = AccessRule::accept;
  size_t rule_line = 0;
};

// The failure (permanent) is FILE:LINE: what is wrong; the remedy. `warnings` have the same form.
Result<std::vector<HatGroup>> parse_hat(std::string_view text, std::string_view file_name,
                                        std::vector<std::string>& warnings);

// One entry; the failure's text is what is wrong, and the remedy.
Result<HatEntry> parse_hat_entry(std::string_view word);

// "-4", "3.5", "+10.0" to tenths.
std::optional<int> parse_score(std::string_view text);
// "None", "-4.0".
std::string score_text(const std::optional<int>& tenths);

}  // namespace postern
