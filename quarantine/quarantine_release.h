// A release: the message goes back into the chain under a new mid, and is gone from the store only when the
// program that got it has said that it is durable there. The new mid is written into the row first, so a
// release that was killed is asked for again with the same one, and the queue recognises what it has
// (lib/taken_before.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "quarantine/quarantine_store.h"

namespace postern::quarantine {

struct Act {
  std::string who{};  // "uid 0 (sudo user alice)", "keeper": for the audit
  std::string why{};  // "by operator", "expired": for the log
};

struct ReleaseOrder {
  std::string from{};       // one quarantine alone; empty: all
  std::string exemption{};  // "STAGE VERDICT", or empty
  Act act{};
};

struct Part {
  std::string mid{};
  std::string
      fate;  // queued, quarantined, dropped, refused, deferred; accepted where the receiver says no more
  std::string detail{};
};

struct Released {
  std::vector<std::string> still_held_in;  // not empty: it was only marked
  std::vector<Part> parts;
};

// Where a release enters: what spam alone held was judged by a person now and goes into the queue,
// everything else is scanned again. POSTERN_QUEUE and POSTERN_RELEASE_TO of `environment` name other
// programs.
std::string release_target(const HeldRow& row, const Environment& environment);

// What the message takes along: what was kept with it, without the tags of the stages that will run again.
Environment release_environment(const HeldRow& row);

// What the receiver printed: lines "MID FATE DETAIL". Without any: one part, `fate`.
std::vector<Part> parse_parts(std::string_view output, uint64_t new_mid, std::string_view fate);

// The failure says what the receiver said; the message is held as before then.
Result<Released> release_message(QuarantineStore& store, uint64_t mid, const ReleaseOrder& order,
                                 const Environment& environment);

// From all quarantines, for good.
Result<void> delete_message(QuarantineStore& store, uint64_t mid, const Act& act);

// `from` empty: the only one that holds it. What `to` says of it already is overwritten.
Result<void> move_message(QuarantineStore& store, uint64_t mid, std::string_view from, std::string_view to,
                          const Act& act);

}  // namespace postern::quarantine
