// A pool of worker processes: as many as are wanted, until SIGTERM; one that ends is replaced, with back-off
// after a crash. On SIGHUP new ones are forked before the old ones end.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>

namespace postern {

constexpr unsigned kMostWorkers = 1000;

struct PoolOptions {
  unsigned workers = 1;
  // A worker's whole life, in its own process; it never returns. It ends when SIGTERM comes and it holds
  // nothing more. `parent` is our own process.
  std::function<void(pid_t parent)> work;
  std::function<bool()> reload{};   // on SIGHUP; false: the old workers stay
  std::function<int64_t()> tick{};  // does what is due; after how many milliseconds it is due again
  bool leaves_workers = false;      // on SIGTERM it does not wait until they have ended
};
int run_pool(const PoolOptions& options);

}  // namespace postern
