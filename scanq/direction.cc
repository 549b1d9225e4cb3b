#include "scanq/direction.h"

#include <algorithm>

#include "lib/control.h"
#include "lib/text.h"

namespace postern {

std::vector<DirectedRecipients> split_by_direction(const Envelope& envelope, const Environment& environment,
                                                   const std::vector<std::string>& ours) {
  const std::string given = environment.get_or("POSTERN_DIRECTION", "");
  if (given == "in" || given == "out" || given == "local") return {{given, envelope.recipients}};
  const bool from_us =
      environment.get("RELAYCLIENT").has_value() || !environment.get_or("POSTERN_AUTH", "").empty();
  std::vector<DirectedRecipients> groups;
  for (const Recipient& recipient : envelope.recipients) {
    const std::string domain = domain_of(recipient.address);
    const bool local_domain = domain.empty() || domain_listed(domain, ours);
    const std::string direction = !local_domain ? "out" : from_us ? "local" : "in";
    auto group =
        std::find_if(groups.begin(), groups.end(), [&](const auto& g) { return g.direction == direction; });
    if (group == groups.end()) group = groups.insert(groups.end(), {direction, {}});
    group->recipients.push_back(recipient);
  }
  return groups;
}

}  // namespace postern
