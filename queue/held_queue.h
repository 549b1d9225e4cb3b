// What whoever works a spool has: its lock (the file `lock`), its FIFO, and signals that only arrive while it
// waits.
#pragma once

#include <string_view>

#include "lib/fd.h"
#include "lib/result.h"
#include "lib/signals.h"
#include "queue/poller.h"
#include "queue/wake.h"

namespace postern {

struct HeldQueue {
  Fd lock;
  WakeReader wake;
  Poller poller;           // the FIFO is in it
  sigset_t while_waiting;  // see catch_signals
};
// `program`: who works it; two of them on one spool would do everything twice.
Result<HeldQueue> hold_queue(std::string_view spool, std::string_view program);

}  // namespace postern
