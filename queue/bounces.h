// The postern-bounce processes that are out: one for a message whose failures have to be told, followed by
// pidfd.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>

#include "lib/fd.h"
#include "queue/delivery.h"

namespace postern {

class Bounces {
 public:
  // `poller`: the epoll descriptor that the processes are added to, with the pidfd as data.
  explicit Bounces(int poller) : poller_(poller) {}

  // Starts one for the failed recipients; false (logged) when it could not be started.
  bool start(const Delivery& delivery);
  [[nodiscard]] bool owns(int fd) const { return running_.contains(fd); }
  struct Ended {
    uint64_t mid;
    bool told;  // the DSN is durable
  };
  // Reaps the process behind a pidfd that has become readable.
  Ended take(int fd);
  [[nodiscard]] bool empty() const { return running_.empty(); }

 private:
  struct Running {
    Fd process;
    pid_t pid;
    uint64_t mid;
  };
  int poller_;
  std::map<int, Running> running_;
};

}  // namespace postern
