// What became of TLS on one connection: for the log, for the choice of a kept connection, and for TLSRPT.
#pragma once

#include <string>

#include "lib/destinations.h"
#include "remote/tls_demand.h"

namespace postern {

// Why TLS did not come about as it was asked for.
struct TlsFault {
  std::string type;  // in the words of RFC 8460 4.3: "starttls-not-supported", "certificate-expired" …
  std::string text;  // for people; printable
};

struct TlsOutcome {
  enum class Did { plain, encrypted, authenticated, failed };

  TlsNeed wanted = TlsNeed::none;
  std::string why;  // the demand's
  Did did = Did::plain;
  // Empty where the demand was met. Set with `failed`, with `plain` where TLS was wanted, and with
  // `encrypted` where report_only let pass what the demand did not.
  TlsFault fault;
  std::string protocol;  // "TLSv1.3"
  std::string cipher;    // "TLS_AES_256_GCM_SHA384"
  bool resumed = false;  // the session of an earlier connection

  [[nodiscard]] bool encrypted() const { return did == Did::encrypted || did == Did::authenticated; }
};

// "TLS success protocol TLSv1.3 cipher NAME for example.org policy dane verified resumed"
std::string tls_success_text(const TlsOutcome& outcome, std::string_view domain);
// "TLS failed: TYPE: TEXT for example.org policy dane"
std::string tls_failure_text(const TlsOutcome& outcome, std::string_view domain);

// May a connection that was made for `made_for`, with this outcome, carry mail for `wanted`? Both are of
// destinations with the same next hop. A connection that was authenticated for one policy says nothing of
// another one's names.
bool connection_fits(const Destination& made_for, const TlsOutcome& outcome, const Destination& wanted);

}  // namespace postern
