// What postern-send was asked to do by signals since it last looked.
#pragma once

#include <signal.h>

namespace postern {

struct Asked {
  volatile sig_atomic_t stop = 0;    // SIGTERM
  volatile sig_atomic_t reload = 0;  // SIGHUP
  volatile sig_atomic_t flush = 0;   // SIGALRM
};
extern Asked asked;

// From now on the signals only set a flag. They arrive only while we wait, so that none falls between a look
// at its flag and the wait: the mask to wait with.
sigset_t catch_signals();

}  // namespace postern
