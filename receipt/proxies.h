// control/proxies: whose word about a client is taken. A line is an address or a network, as the Host Access
// Table writes them (192.0.2.0/24, 2001:db8::/32), and one or both of
//
//   proxy     each connection begins with a header of the PROXY protocol; one without it is closed
//   xclient   the command XCLIENT is offered
//
// The first line that has the address decides. Nobody else is believed: PROXY in front of a conversation is
// an unknown command, and so is XCLIENT.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "lib/result.h"
#include "receipt/address_prefix.h"

namespace postern {

struct Proxy {
  std::vector<AddressPrefix> networks{};
  bool says_proxy = false;
  bool says_xclient = false;
};

class Proxies {
 public:
  // A failure is temporary and names file, line and remedy.
  static Result<Proxies> parse(std::string_view text, std::string_view file_name);
  static Result<Proxies> read();  // control/proxies; none where it is missing
  [[nodiscard]] const Proxy* find(std::string_view address) const;

 private:
  std::vector<Proxy> proxies_;
};

}  // namespace postern
