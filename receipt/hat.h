// Which sender group a client is in, and by that, which mail flow policy it has: the first group from the top
// of which any entry matches, groups that say CONTINUE passed over (semantics of Cisco's AsyncOS).
//
// Nobody is asked anything before a group is reached whose entries need it: an address is looked up in the
// table alone, then the score, the client's name, and the DNS lists, each once.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/result.h"
#include "receipt/hat_table.h"
#include "receipt/mail_flow_policy.h"

namespace postern {

// What the DNS says of an address's name.
struct HostName {
  enum class State : uint8_t {
    verified,  // one of the names that its PTR gives has the address
    no_ptr,
    ptr_fails,  // no answer for now
    nowhere,    // none of the names has any address
    differs,    // they have other addresses
  } state = State::no_ptr;
  std::vector<std::string> names{};  // in lower case; those that have the address, or what the PTR gives
};

// What a DNS list says of an address.
struct DnsListing {
  std::vector<std::string> answers{};  // "127.0.0.2"; none: it is not listed, or the list does not answer
};

// Where the answers come from; each is asked at most once a client (each list once).
struct HatQuestions {
  std::function<std::optional<int>()> score;  // tenths; nothing: none is known
  std::function<HostName()> host;
  std::function<DnsListing(std::string_view zone)> list;
};

struct HatMatch {
  MailFlowPolicy policy;
  std::string group = "None";  // "None" where an entry stands alone, and for ALL
  std::string entry = "ALL";   // as written
  size_t line = 0;             // in the table's text; 0: nothing stands there
  size_t policy_line = 0;      // in control/policies; 0: a bare rule
  bool score_asked = false;
  std::optional<int> score{};
  std::optional<HostName> host{};    // nothing: nobody asked
  std::string dns_list{};            // the zone, where a DNS list matched
  std::vector<std::string> steps{};  // for people, if wanted: what was looked at, in order
};

Result<HatMatch> match_client(const HatTable& table, const AddressKey& address, const HatQuestions& ask,
                              bool explain = false);

// The policy of that name, as if a group had led to it. Nothing: the table has none.
Result<std::optional<HatMatch>> match_by_policy(const HatTable& table, std::string_view policy);

}  // namespace postern
