#include "lib/descriptors.h"

#include <sys/resource.h>

#include <algorithm>

namespace postern {

void raise_descriptor_limit(size_t wanted) {
  struct rlimit limit {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= wanted) return;
  limit.rlim_cur = std::min<rlim_t>(wanted, limit.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

size_t descriptor_limit() {
  struct rlimit limit {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) < 0) return 256;  // less is nowhere the default
  return static_cast<size_t>(limit.rlim_cur);
}

}  // namespace postern
