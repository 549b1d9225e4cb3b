// What the control files say to postern-tlsd.
#pragma once

#include <cstdint>
#include <string>

#include "lib/result.h"

namespace postern::tlsd {

struct TlsdSettings {
  std::string directory;                // secrets/posternk: NAME.pem, a certificate, its chain and its key
  std::string default_name;             // control/me: whose certificate is shown where the client names none
  int least_version = 0;                // of OpenSSL's numbers; control/tlsdminimum
  uint64_t handshake_seconds = 0;       // control/tlsdtimeout
  uint64_t ticket_seconds = 0;          // control/tlsdtickets: how long a key makes tickets; 0: no tickets
  uint64_t workers = 0;                 // control/concurrencytls: processes
  std::string client_authorities_path;  // control/tlsdclientca; empty: clients are not asked for certificates
};
Result<TlsdSettings> read_tlsd_settings();

}  // namespace postern::tlsd
