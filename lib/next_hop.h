// A next hop as routes name it: in control/smtproutes, by the verb `route` of a stage, by postern-qctl.
//
//   mx.example.net   mx.example.net:2525   192.0.2.1:25   [2001:db8::1]:25   that host, and not its MX
//   lmtp:host:24     lmtp:/run/dovecot/lmtp                                  LMTP (RFC 2033), port 24
//   USEDNS                                                                   by MX after all
//   /dev/null                                                                taken and thrown away
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/result.h"

namespace postern {

struct NextHop {
  enum class Way { mx, smtp, lmtp, discard };
  Way way = Way::mx;
  std::string host;   // a name as it was given, an address without brackets, or of LMTP the path of a socket
  uint16_t port = 0;  // 0: not said
};

// Without blanks around it. A host without a name, with a port or not, is by MX as well. The failure
// (temporary) says what is wrong.
Result<NextHop> parse_next_hop(std::string_view text);

// What may stand in an order for one message: one next hop, or several with commas between them and without
// blanks; at most 300 bytes, and ASCII.
bool is_next_hop(std::string_view text);

// "1.2.3.4", "[1.2.3.4]", "2001:db8::1", "[IPv6:2001:db8::1]" to the bare address; empty for anything else.
std::string address_literal(std::string_view host);

}  // namespace postern
