// How many descriptors there are for clients, and for the resolver's sockets: as many questions as may wait
// for slow name servers need one of each.
#pragma once

#include <cstddef>

namespace postern {

// To what the service can use, as far as the hard limit lets it.
void raise_descriptor_limit();
// The share of either, of what the limit allows now.
size_t descriptors_for_each();

}  // namespace postern
