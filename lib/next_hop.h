// A next hop as routes name it.
#pragma once

#include <string_view>

namespace postern {

// HOST or HOST:PORT: a name, an IPv4 address, or an IPv6 address in brackets.
bool is_next_hop(std::string_view text);

}  // namespace postern
