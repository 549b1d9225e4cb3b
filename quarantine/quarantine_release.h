// A release: the message goes back into the chain under a new mid, and is gone from the store only when the
// program that got it has said that it is durable there. Dying in between repeats the release at worst; it
// never loses the message.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/queue_file.h"
#include "quarantine/quarantine_store.h"

namespace postern {

// Where a release enters depends on the kind of its quarantine alone: spam was judged by a person now and
// goes into the queue, everything else is scanned again. POSTERN_QUEUE and POSTERN_RELEASE_TO of
// `environment` name other programs.
std::string release_target(std::string_view quarantine, const Environment& environment);

// What the message takes along: what was kept with it, without the tags of the stages that will run again.
Environment release_environment(const QueuedMessage& message, std::string_view quarantine, uint64_t new_mid);

// The new mid. The failure says what the receiver said.
Result<uint64_t> release_message(const QuarantineStore& store, uint64_t mid, const Environment& environment);

}  // namespace postern
