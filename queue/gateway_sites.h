// The sites of destinations with limit_apply=vg: the domain (or host of an order) and the gateway that
// control/altsrchost chooses for the message, "example.org by bulk". Each has limits, back-off and a line of
// its own. Remote chooses by the same file; what no gateway is chosen for is a site as well.
#pragma once

#include <string_view>

#include "lib/altsrchost.h"
#include "lib/destinations.h"
#include "lib/table_file.h"
#include "queue/delivery.h"

namespace postern {

class GatewaySites {
 public:
  GatewaySites();
  // Where no gateway can be told, the site stays what it is: remote says what is wrong.
  void name(Jobs& jobs, const Destinations& destinations);

 private:
  TableFile<Gateways> gateways_;
};

// What control/destinations is asked by, without the gateway.
std::string_view destination_of(std::string_view site);

}  // namespace postern
