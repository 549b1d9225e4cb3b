// The postern-bounce processes: one for a message of which a sender has to be told, followed by pidfd. A few
// run at once, the others wait in line, so that a queue program that hangs holds up what it is asked for and
// nothing else.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <deque>
#include <map>
#include <vector>

#include "lib/fd.h"
#include "queue/bounce_request.h"
#include "queue/poller.h"

namespace postern {

class Bounces {
 public:
  // `poller`: the pidfds of the processes are added to it.
  explicit Bounces(const Poller& poller) : poller_(poller) {}

  // Puts a request in line. `message`: a sealed memory file; borrowed until its end is known.
  void add(const BounceRequest& request, int message);
  // Starts what there is room for; returns the mids of those (logged) that could not be started.
  std::vector<uint64_t> start_waiting();
  [[nodiscard]] bool owns(int fd) const { return running_.contains(fd); }
  struct Ended {
    uint64_t mid;
    bool told;  // the DSN is durable
  };
  // Reaps the process behind a pidfd that has become readable.
  Ended take(int fd);
  [[nodiscard]] size_t running() const { return running_.size(); }

 private:
  struct Waiting {
    uint64_t mid;
    std::string records;
    int message;
  };
  struct Running {
    Fd process;
    pid_t pid;
    uint64_t mid;
  };
  bool start(const Waiting& waiting);

  const Poller& poller_;
  std::deque<Waiting> waiting_;
  std::map<int, Running> running_;
};

}  // namespace postern
