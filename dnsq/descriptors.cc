#include "dnsq/descriptors.h"

#include <sys/resource.h>

#include <algorithm>

namespace postern {

namespace {
constexpr rlim_t kWanted = 10240;
constexpr rlim_t kOthers =
    256;  // files, pipes, the sockets of TCP; an old resolver's last questions after a reload
constexpr rlim_t kLeast = 64;
}  // namespace

void raise_descriptor_limit() {
  struct rlimit limit {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= kWanted) return;
  limit.rlim_cur = std::min(kWanted, limit.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

size_t descriptors_for_each() {
  struct rlimit limit {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) < 0) return kLeast;
  const rlim_t usable = std::min(limit.rlim_cur, kWanted);
  return static_cast<size_t>(usable > kOthers + 2 * kLeast ? (usable - kOthers) / 2 : kLeast);
}

}  // namespace postern
