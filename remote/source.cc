#include "remote/source.h"

#include <stdlib.h>

#include <algorithm>

#include "lib/child.h"
#include "lib/log.h"
#include "remote/dial.h"

namespace postern {

namespace {

bool is_v6(const std::string& address) {
  return address.find(':') != std::string::npos;
}

bool is_any(const std::string& address) {
  return address == "0.0.0.0" || address == "::";
}

bool knows_gateways(const Gateway& gateway, const Target& target) {
  return !gateway.sources.empty() && !target.lmtp;
}

// Takes one out by weight.
SourceAddress draw(std::vector<SourceAddress>& from) {
  uint32_t sum = 0;
  for (const SourceAddress& source : from) sum += source.weight;
  uint32_t left = ::arc4random_uniform(sum);
  auto drawn = from.begin();
  while (left >= drawn->weight) left -= (drawn++)->weight;
  SourceAddress source = std::move(*drawn);
  from.erase(drawn);
  return source;
}

std::string key_of(const std::string& address) {
  return "from " + address;
}

}  // namespace

bool can_reach(const Gateway& gateway, const Target& target) {
  return !knows_gateways(gateway, target) ||
         std::any_of(gateway.sources.begin(), gateway.sources.end(),
                     [&](const SourceAddress& s) { return is_v6(s.address) == is_v6(target.address); });
}

Result<Target> with_source(const Gateway& gateway, Target target, SetAside& set_aside) {
  if (!knows_gateways(gateway, target)) return target;
  const int64_t now = now_milliseconds() / 1000;
  std::vector<SourceAddress> good;
  std::vector<SourceAddress> aside;
  for (const SourceAddress& source : gateway.sources) {
    if (is_v6(source.address) != is_v6(target.address)) continue;
    (set_aside.holds(key_of(source.address), now) ? aside : good).push_back(source);
  }
  Failure last = temporary("no address of gateway " + gateway.name + " is of the family of " + target.address,
                           0, "4.4.1");
  while (!good.empty() || !aside.empty()) {
    const bool known = good.empty();
    const SourceAddress source = draw(known ? aside : good);
    target.hello = source.hello;
    target.source = is_any(source.address) ? "" : source.address;
    if (target.source.empty()) return target;
    const Result<void> usable = try_source(source.address);
    if (usable) {
      set_aside.remove(key_of(source.address));
      return target;
    }
    last = usable.failure();
    set_aside.add(key_of(source.address), now);
    if (!known) log_warning("use an address of control/altsrchost", last);
  }
  return last;
}

}  // namespace postern
