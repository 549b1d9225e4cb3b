// in, out or local (design, Direction): an input of every policy, decided once a message.
#pragma once

#include <string>
#include <vector>

#include "lib/envelope.h"
#include "lib/environment.h"

namespace postern {

struct DirectedRecipients {
  std::string direction;
  std::vector<Recipient> recipients;
};

// Recipients grouped by direction, in the order in which the directions first occur. `ours`: the domains of
// locals and rcpthosts. A POSTERN_DIRECTION that came with the message holds for all.
std::vector<DirectedRecipients> split_by_direction(const Envelope& envelope, const Environment& environment,
                                                   const std::vector<std::string>& ours);

}  // namespace postern
