// From the TLS level of a destination, and from what DANE and MTA-STS say, to the demand on one host.
#pragma once

#include <string_view>

#include "lib/destinations.h"
#include "remote/dane.h"
#include "remote/sts.h"
#include "remote/tls_demand.h"

namespace postern {

// What was found out for the host. Neither is looked at but for the levels dane and dane-only.
struct TlsFindings {
  const DaneResult* dane = nullptr;  // nullptr: not asked, as where it is not applicable
  const StsPolicy* sts = nullptr;    // nullptr: the domain has none
  bool sts_names_host = true;        // one of its mx patterns matches
  bool sts_pending = false;          // it has one, which is not known yet
};

// Does what MTA-STS says matter for the host? Not where the level decides alone, or DANE does.
bool looks_at_sts(const Destination& destination, const TlsFindings& findings);

// `domain`: the next hop, that of the recipients or the route's host; `host`: the mail host's name, or an
// address. The level off, may, encrypt, verify and secure decide alone. dane: DANE, then MTA-STS (RFC 8461 2:
// DANE wins), then opportunistic TLS; dane-only: DANE or no delivery.
TlsDemand demand_for(const Destination& destination, std::string_view domain, std::string_view host,
                     const TlsFindings& findings = {});
// Nobody can listen in, or take its place: whatever the destination says, there is no TLS.
TlsDemand demand_for_local_socket();

}  // namespace postern
