// The control files that postern-send works by; read at its start and on SIGHUP.
#pragma once

#include <cstdint>
#include <string>

#include "lib/result.h"
#include "lib/rewrite.h"
#include "queue/bounce_choice.h"

namespace postern {

struct SendSettings {
  Rewriting rewriting;
  size_t concurrency_local = 10;
  size_t concurrency_remote = 20;
  BounceChoice bounces;
  std::string double_bounce_to;  // a full address; empty: they are dropped
};

Result<SendSettings> read_send_settings();

}  // namespace postern
