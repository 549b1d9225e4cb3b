#include "queue/room.h"

#include <algorithm>

#include "queue/lanes.h"

namespace postern {

namespace {
constexpr size_t kShortLived = 72;  // 20 notifications, what is open all the time, and some to spare
constexpr size_t kLeastUsable = 32;
constexpr size_t kPurposes = 3;  // local, remote, telling
constexpr size_t kOfMessage = 2;
constexpr size_t kMostMessages = 400;  // or what the remote jobs need
}  // namespace

Room room_for(size_t descriptors, size_t concurrency_local, size_t concurrency_remote) {
  const size_t usable = std::max(descriptors, kShortLived + kLeastUsable) - kShortLived;
  // Connections are kept when they idle: they must leave room for messages.
  Room room{.local = std::min(concurrency_local, usable / 4),
            .remote = std::min(concurrency_remote, usable / 4),
            .messages = 0};
  const size_t left = usable - room.local - room.remote;
  room.messages = std::clamp(left / (kPurposes * kOfMessage), size_t{1},
                             std::max(kMostMessages, Lanes::most_jobs(room.remote)));
  return room;
}

}  // namespace postern
