// The messages that are being handed to the scanner: a process for each, which waits for the answer of Joint
// 2 and passes it on through a pipe. It dies with us, so that a scanner that asks whether its client is still
// there commits nothing for nobody.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "lib/envelope.h"
#include "lib/environment.h"
#include "lib/fd.h"
#include "lib/submit.h"
#include "queue/poller.h"

namespace postern {

class Scans {
 public:
  // `program`: in either form. `poller`: the pipes are added to it.
  Scans(std::string program, const Poller& poller) : program_(std::move(program)), poller_(poller) {}

  // `message`: a sealed memory file, needed no longer than this call. False (logged) when it could not be
  // started.
  bool start(uint64_t mid, int message, const Envelope& envelope, const Environment& environment);
  [[nodiscard]] bool owns(int fd) const { return running_.contains(fd); }
  struct Ended {
    uint64_t mid = 0;
    QueueAnswer answer;
  };
  // What came of the one whose pipe has become readable.
  Ended take(int fd);
  [[nodiscard]] bool has(uint64_t mid) const;
  [[nodiscard]] size_t running() const { return running_.size(); }

 private:
  struct Running {
    Fd pipe;
    uint64_t mid;
  };
  std::string program_;
  const Poller& poller_;
  std::map<int, Running> running_;
};

}  // namespace postern
