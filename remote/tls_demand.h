// What a connection to one host must be, decided before it is made: by control/destinations, DANE and
// MTA-STS.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace postern {

struct Tlsa {
  unsigned usage = 0;
  unsigned selector = 0;
  unsigned matching = 0;
  std::string data;  // bytes
};

enum class TlsNeed {
  none,           // plain, also where STARTTLS is offered
  opportunistic,  // TLS where it is offered and works, else plain; no certificate is looked at
  encrypted,      // TLS or no delivery over this host; no certificate is looked at
  authenticated   // TLS whose certificate fits `tlsa`, or where that is empty the CA directory and `names`
};

struct TlsDemand {
  TlsNeed need = TlsNeed::opportunistic;
  std::vector<Tlsa> tlsa;          // usable ones: usages 2 and 3
  std::vector<std::string> names;  // reference identifiers, the first is the SNI; empty: no SNI (an address)
  std::string why = "may";  // for the log and for TLSRPT: "may", "encrypt", "dane", "sts", "verify", "secure"
  bool report_only = false;  // deliver although it is not met, and log what it would have deferred
  std::string certificate;   // client certificate's name in secrets/posternr/; empty: none
  // Why this host must not be given anything, whatever it offers, and that in the words of RFC 8460 4.3; both
  // empty: it may. With report_only it is only logged.
  std::string refusal;
  std::string refusal_type;
};

// Nothing of a message goes to a host without TLS.
constexpr bool must_be_tls(const TlsDemand& demand) {
  return !demand.report_only && (demand.need == TlsNeed::encrypted || demand.need == TlsNeed::authenticated);
}

}  // namespace postern
