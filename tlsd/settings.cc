#include "tlsd/settings.h"

#include <openssl/tls1.h>
#include <unistd.h>

#include <algorithm>

#include "lib/control.h"
#include "lib/text.h"

namespace postern::tlsd {

namespace {

constexpr uint64_t kMostWorkers = 64;
constexpr uint64_t kLongestHandshakeSeconds = 300;
constexpr uint64_t kLongestTicketSeconds = 7 * 86400;  // RFC 8446, 4.6.1

Result<int> least_version() {
  Result<std::string> said = control_line_or("tlsdminimum", "TLSv1.2");
  if (!said) return said.failure();
  if (equal_ignoring_case(*said, "TLSv1.2")) return TLS1_2_VERSION;
  if (equal_ignoring_case(*said, "TLSv1.3")) return TLS1_3_VERSION;
  return temporary(home_path("control/tlsdminimum") + ":1: \"" + printable(*said, 40) +
                       "\" is not known; write TLSv1.2 or TLSv1.3",
                   55);
}

}  // namespace

Result<TlsdSettings> read_tlsd_settings() {
  TlsdSettings settings;
  settings.directory = home_path("secrets/posternk");
  Result<std::string> me = control_me();
  if (!me) return me.failure();
  settings.default_name = lower(*me);
  Result<int> version = least_version();
  if (!version) return version.failure();
  settings.least_version = *version;
  const long cores = ::sysconf(_SC_NPROCESSORS_ONLN);
  struct Number {
    const char* name;
    uint64_t otherwise;
    uint64_t least;
    uint64_t most;
    uint64_t& into;
  };
  for (const Number& number :
       {Number{"tlsdtimeout", 60, 1, kLongestHandshakeSeconds, settings.handshake_seconds},
        Number{"tlsdtickets", 3600, 0, kLongestTicketSeconds, settings.ticket_seconds},
        Number{"concurrencytls", static_cast<uint64_t>(std::max(cores, 1L)), 1, kMostWorkers,
               settings.workers}}) {
    Result<uint64_t> value = control_number_or(number.name, number.otherwise);
    if (!value) return value.failure();
    number.into = std::clamp(*value, number.least, number.most);
  }
  Result<std::string> authorities = control_line_or("tlsdclientca", "");
  if (!authorities) return authorities.failure();
  settings.client_authorities_path = *authorities;
  return settings;
}

}  // namespace postern::tlsd
