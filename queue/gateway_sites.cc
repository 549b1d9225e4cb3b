#include "queue/gateway_sites.h"

#include "lib/control.h"

namespace postern {

namespace {

constexpr std::string_view kBy = " by ";

}  // namespace

GatewaySites::GatewaySites() : gateways_(home_path("control/altsrchost")) {}

void GatewaySites::name(Jobs& jobs, const Destinations& destinations) {
  for (DeliveryJob& job : jobs.remote) {
    if (destinations.of(job.site).limit_apply != LimitApply::virtual_gateway) continue;
    const Result<const Gateways*> gateways = gateways_.current();
    if (!gateways) return;
    const std::string& sender = job.arguments.at(1);
    const Result<Gateway> gateway = (*gateways)->choose(sender, job.kept);
    if (gateway && !gateway->name.empty()) job.site.append(kBy).append(gateway->name);
  }
}

// Neither a domain nor a next hop has a blank.
std::string_view destination_of(std::string_view site) {
  return site.substr(0, site.find(kBy));
}

}  // namespace postern
