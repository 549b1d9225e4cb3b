// The limit on open descriptors, for services that hold many.
#pragma once

#include <cstddef>

namespace postern {

// To `wanted`, as far as the hard limit lets it; never down.
void raise_descriptor_limit(size_t wanted);
// What the limit allows now.
size_t descriptor_limit();

}  // namespace postern
