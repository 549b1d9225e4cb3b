// The control files that postern-send works by; read at its start and on SIGHUP.
#pragma once

#include <string>
#include <vector>

#include "lib/result.h"
#include "queue/attempts.h"

namespace postern {

struct SendSettings {
  std::string me;
  std::vector<std::string> locals;
  size_t concurrency_local = 10;
  size_t concurrency_remote = 20;
  size_t concurrency_site = 10;  // of concurrency_remote
  RetryProfile retry;
};

Result<SendSettings> read_send_settings();

}  // namespace postern
