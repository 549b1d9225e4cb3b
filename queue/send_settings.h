// The control files that postern-send works by; read at its start and on SIGHUP.
#pragma once

#include <cstdint>
#include <string>

#include "lib/destinations.h"
#include "lib/result.h"
#include "queue/attempts.h"
#include "queue/rewrite.h"

namespace postern {

struct SendSettings {
  Rewriting rewriting;
  size_t concurrency_local = 10;
  size_t concurrency_remote = 20;
  Destinations destinations;
  RetryProfile retry;
  uint64_t delay_warning = 14400;  // seconds from receipt; 0: no warnings
  std::string double_bounce_to;    // a full address; empty: they are dropped
};

Result<SendSettings> read_send_settings();

}  // namespace postern
