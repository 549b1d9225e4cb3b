// What postern-send may have open at once, by the descriptors that it was granted.
#pragma once

#include <cstddef>

namespace postern {

struct Room {
  size_t local;     // jobs out at once to lspawn, one connection each
  size_t remote;    // the same to rspawn
  size_t messages;  // open for one purpose (queue/open_messages.h), two descriptors each
};

constexpr size_t kDescriptorsWanted = 16384;

// A part is kept for all that is short-lived: notifications, files in defer/, what goes with a job. Few
// descriptors make deliveries slower, and stop none.
Room room_for(size_t descriptors, size_t concurrency_local, size_t concurrency_remote);

}  // namespace postern
