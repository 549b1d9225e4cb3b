// Telling the program that works a spool that a message is there: its mid, through the FIFO SPOOL/wake.
// Losing one costs nothing but time: the worker looks through new/ at its start and whenever the FIFO was
// full.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lib/fd.h"

namespace postern {

// In the place of a mid, which is never 0: postern-send counts anew against the limits of destinations, and
// tries all sites.
constexpr uint64_t kResetSites = 0;

class WakeWriter {
 public:
  explicit WakeWriter(std::string spool_directory) : path_(std::move(spool_directory) + "/wake") {}
  void wake(uint64_t mid);
  // The same, but waits up to that long while the FIFO is full. False: it is full still. Nobody reading is no
  // failure: who opens it next looks through the spool first.
  bool wake_surely(uint64_t mid, int milliseconds);

 private:
  std::string path_;
  Fd fifo_;
};

class WakeReader {
 public:
  // Makes the FIFO where it is missing. Kept open for both directions, so that it never reads end of file.
  static Result<WakeReader> open(const std::string& spool_directory);
  [[nodiscard]] int fd() const { return fifo_.get(); }
  struct Woken {
    std::vector<uint64_t> mids;
    bool look_through = false;  // the FIFO was full: there may be more than it says
  };
  [[nodiscard]] Woken read() const;

 private:
  explicit WakeReader(Fd fifo) : fifo_(std::move(fifo)) {}
  Fd fifo_;
};

}  // namespace postern
