// The queue file: one file is one message. The message stands at offset 0 as it came, the records behind it,
// a fixed trailer last. doc/INTERNALS.md describes it to the byte; nothing else reads or writes it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "lib/envelope.h"
#include "lib/environment.h"
#include "lib/result.h"

namespace postern {

// The first byte of a recipient's record; changed in place with one pwrite(2).
enum class RecipientState : char { pending = 'P', done = 'D', failed = 'X', held = 'H', removed = 'R' };

struct QueuedMessage {
  uint64_t message_size = 0;  // bytes
  uint64_t message_hash = 0;  // XXH3 of the message
  uint64_t born = 0;          // microseconds since 1970
  Envelope envelope;
  Environment kept;                    // the variables kept with the message
  std::vector<RecipientState> states;  // beside envelope.recipients
  std::vector<off_t> state_offsets;    // where each state byte stands in the file
};

// Copies the message from `message` (from offset 0 of a file, or a pipe to its end) to the start of the empty
// file `to`, and writes the records and the trailer behind it. At most `limit_bytes` of message. Does not
// sync.
Result<QueuedMessage> write_queue_file(int to, int message, size_t limit_bytes, std::string_view first_header,
                                       const Envelope& envelope, const Environment& kept);

// Reads trailer and records and checks them; the message itself is not read. A broken file is a temporary
// failure with `damaged` set that says what is broken; one that could not be read, or is of a newer version,
// is one without.
Result<QueuedMessage> read_queue_file(int fd);

// Is the message what its hash says?
Result<bool> message_intact(int fd, const QueuedMessage& message);

Result<void> write_state(int fd, const QueuedMessage& message, size_t recipient, RecipientState state);

}  // namespace postern
