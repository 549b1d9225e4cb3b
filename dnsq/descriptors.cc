#include "dnsq/descriptors.h"

#include <algorithm>

#include "lib/descriptors.h"

namespace postern {

namespace {
constexpr size_t kWanted = 10240;
constexpr size_t kOthers =
    256;  // files, pipes, the sockets of TCP; an old resolver's last questions after a reload
constexpr size_t kLeast = 64;
}  // namespace

void raise_descriptor_limit() {
  raise_descriptor_limit(kWanted);
}

size_t descriptors_for_each() {
  const size_t usable = std::min(descriptor_limit(), kWanted);
  return usable > kOthers + 2 * kLeast ? (usable - kOthers) / 2 : kLeast;
}

}  // namespace postern
