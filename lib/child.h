// Starting another program with chosen descriptors, and waiting for it with a deadline.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lib/environment.h"
#include "lib/fd.h"
#include "lib/result.h"

namespace postern {

// Milliseconds of CLOCK_MONOTONIC; deadlines are points on it.
int64_t now_milliseconds();

// Targets are below it; sources are lifted above before they are put in place.
constexpr int kPassedNumberLimit = 64;

struct PassedFd {
  int source;  // ours
  int target;  // its number over there
};

struct Identity {
  uid_t uid;
  gid_t gid;
};

struct ChildOptions {
  std::vector<std::string>
      arguments;              // arguments[0] is the program; without a '/' it is looked for beside our own
  Environment environment;    // all of it: nothing else is inherited
  std::vector<PassedFd> fds;  // descriptor 2 is inherited; 0 and 1 are /dev/null unless named
  std::vector<int> closed;    // of 0, 1 and 2: those that are not open at all
  const Identity* identity = nullptr;    // become this user (and no other groups) before exec
  std::string directory;                 // chdir there; empty: stay
  bool errors_with_output = false;       // descriptor 2 is what 1 is
  std::optional<uint64_t> memory_bytes;  // RLIMIT_AS instead of our own, at most its hard limit
  bool dies_with_us = false;             // killed when the thread that started it ends (PR_SET_PDEATHSIG)
};

// Started in a process group of its own. Returns the pid; the caller reaps it. The failure has exit code 120
// when the program could not be executed.
Result<pid_t> start_child(const ChildOptions& options);

struct ChildEnd {
  int exit_code = 0;        // meaningful when signal == 0
  int signal = 0;           // what killed it
  std::string output;       // of descriptor 1
  bool timed_out = false;   // the deadline passed; its process group was killed
  bool output_cut = false;  // it printed more than the limit
};

// Starts it with a pipe as descriptor 1 (unless `fds` names target 1), reads at most `output_limit` bytes,
// waits to the deadline and kills its process group after that. The child is always reaped.
Result<ChildEnd> run_child(ChildOptions options, int64_t deadline_milliseconds, size_t output_limit);

// The directory that our own executable stands in.
std::string own_directory();

}  // namespace postern
