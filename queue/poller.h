// The descriptors that a worker of a spool waits for, all at once: epoll(7).
#pragma once

#include <signal.h>

#include <vector>

#include "lib/fd.h"

namespace postern {

class Poller {
 public:
  Poller();
  // False: it does not work, errno says why.
  explicit operator bool() const { return static_cast<bool>(fd_); }
  // Becomes ready when it is readable or its other end has closed. Closing it takes it out again. False:
  // errno says why.
  bool add(int fd) const;
  // Waits under the signal mask; those that are ready.
  [[nodiscard]] std::vector<int> wait(int milliseconds, const sigset_t& while_waiting) const;

 private:
  Fd fd_;
};

}  // namespace postern
