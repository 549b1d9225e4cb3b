// The postern-bounce processes: one for a message of which a sender has to be told (more where its
// recipients' bounce profiles differ), followed by pidfd. A few run at once, the others wait in line, so that
// a queue program that hangs holds up what it is asked for and nothing else.
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

  // Puts a request in line, which tells of these recipients. `message`: a sealed memory file; borrowed until
  // its end is known.
  void add(const BounceRequest& request, std::vector<size_t> rids, int message);
  struct Ended {
    uint64_t mid;
    std::vector<size_t> rids;
    bool told;  // the DSN is durable
  };
  // Starts what there is room for; returns those (logged) that could not be started.
  std::vector<Ended> start_waiting();
  [[nodiscard]] bool owns(int fd) const { return running_.contains(fd); }
  // Reaps the process behind a pidfd that has become readable.
  Ended take(int fd);
  [[nodiscard]] size_t running() const { return running_.size(); }

 private:
  struct Waiting {
    uint64_t mid;
    std::vector<size_t> rids;
    std::string records;
    int message;
  };
  struct Running {
    Fd process;
    pid_t pid;
    uint64_t mid;
    std::vector<size_t> rids;
  };
  bool start(Waiting& waiting);

  const Poller& poller_;
  std::deque<Waiting> waiting_;
  std::map<int, Running> running_;
};

}  // namespace postern
