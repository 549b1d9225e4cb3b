// Which bounce profile holds for a recipient: named by the listener that took the message
// (POSTERN_BOUNCE_PROFILE of its tcprules or run script), or by a stage (`bounce-profile NAME`, which takes
// its place), or by the recipient's destination. The last wins; a name that there is not counts as not said.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/bounce_profiles.h"
#include "lib/destinations.h"
#include "lib/queue_file.h"
#include "lib/result.h"
#include "queue/attempts.h"

namespace postern {

struct BounceChoice {
  BounceProfiles profiles;
  Destinations destinations;

  // Lives as long as this.
  [[nodiscard]] const BounceProfile& of(const QueuedMessage& message, size_t rid) const;
  // What destinations name and what there is not.
  [[nodiscard]] std::vector<std::string> unknown_of_destinations() const;
  // What the message names and what there is not; empty: nothing.
  [[nodiscard]] std::string_view unknown_name(const QueuedMessage& message) const;
};

RetryProfile retry_of(const BounceProfile& profile);

}  // namespace postern
