// What a program that runs on was asked to do by signals since it last looked.
#pragma once

#include <signal.h>

#include <initializer_list>

namespace postern {

struct Asked {
  volatile sig_atomic_t stop = 0;    // SIGTERM, SIGINT
  volatile sig_atomic_t reload = 0;  // SIGHUP
  volatile sig_atomic_t flush = 0;   // SIGALRM
};
extern Asked asked;

// From now on these signals only set a flag, or, like SIGCHLD, nothing but end the wait. They arrive only
// while we wait, so that none falls between a look at its flag and the wait: the mask to wait with.
sigset_t catch_signals(std::initializer_list<int> numbers);

}  // namespace postern
