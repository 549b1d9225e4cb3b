// What postern-pickup reads at its start and on SIGHUP.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "inject/turns.h"
#include "lib/result.h"

namespace postern::inject {

struct PickupSettings {
  std::string me;
  std::string queue_program;         // QMAILQUEUE of our own environment, else @scanq
  uint64_t message_limit_bytes = 0;  // control/databytes; 0: none
  uint64_t least_free_mib = 0;       // control/minfreememory; 0: never look
  uint64_t most_recipients = 1000;   // control/maxrcpt; forwards may have more
  bool everybody = true;             // without control/pickupusers
  std::vector<uid_t> users;          // control/pickupusers
  TurnLimits turns;                  // control/concurrencypickup

  [[nodiscard]] bool may(uid_t uid) const;
};

Result<PickupSettings> read_pickup_settings();

}  // namespace postern::inject
