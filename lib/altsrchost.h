// control/altsrchost: from which address of this host, and by which name, mail goes out (virtual gateways,
// postern-altsrchost(5)).
//
//   pool bulk  192.0.2.10,bulk1.example.org,3  192.0.2.11,bulk2.example.org
//   <>                   192.0.2.20,bounces.example.org
//   tag=KIND:newsletter  bulk
//   @example.org         192.0.2.1  2001:db8::1
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lib/environment.h"
#include "lib/result.h"

namespace postern {

struct SourceAddress {
  std::string address;  // in its normal form; 0.0.0.0 and :: mean the one that the system chooses
  std::string hello;    // for EHLO; empty: control/helohost
  unsigned weight = 1;  // 1 to 1000: its share of the connections
};

struct Gateway {
  std::string name;                    // the pool's, or its addresses; empty: no gateway was chosen
  std::vector<SourceAddress> sources;  // empty: the system chooses
};

class Gateways {
 public:
  // The failure (temporary, 4.3.5) names file, line and remedy.
  static Result<Gateways> parse(std::string_view text, std::string_view file_name);
  // By what is kept with the message: POSTERN_SOURCE (an address or a pool), then POSTERN_TAG_*, the null
  // sender, TCPREMOTEIP, the sender, POSTERN_SENDERGROUP, all others. The failure (4.3.5): POSTERN_SOURCE
  // names a pool that is not there.
  [[nodiscard]] Result<Gateway> choose(std::string_view sender, const Environment& message) const;

 private:
  struct TagLine {
    std::string variable;  // "POSTERN_TAG_KIND"
    std::string value;
    bool any_value = false;
    Gateway gateway;
  };
  [[nodiscard]] const Gateway* find(const std::string& key) const;
  [[nodiscard]] const Gateway* of_tags(const Environment& message) const;
  [[nodiscard]] const Gateway* of_sender(std::string_view sender) const;
  [[nodiscard]] Gateway of_order(std::string_view address) const;

  std::map<std::string, Gateway, std::less<>> pools_;
  std::map<std::string, Gateway, std::less<>> lines_;  // by key, in lower case but for groups
  std::vector<TagLine> tags_;                          // in the order of the file
};

// The null sender, an address without its bounce verification tag (prvs=KDDDSSSSSS=user@domain), or what was
// given.
std::string_view untagged_sender(std::string_view sender);

}  // namespace postern
