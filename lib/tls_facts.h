// How a handshake ended: what postern-tlsd answers to smtpd, and smtpd writes into Received: and the log.
#pragma once

#include <string>
#include <string_view>

#include "lib/result.h"

namespace postern {

struct TlsFacts {
  std::string protocol{};  // "TLSv1.3"; empty: an external server did not say
  std::string cipher{};    // "TLS_AES_256_GCM_SHA384"; the same
  unsigned bits = 0;       // of the cipher's key; 0: not known
  bool resumed = false;
  std::string server_name{};       // what the client asked for (SNI), lower-case; empty: nothing
  std::string peer_subject{};      // of the client's certificate, RFC 2253 form; empty: it has shown none
  std::string peer_fingerprint{};  // SHA-256 of that certificate, 64 hexadecimal digits
  bool peer_verified = false;      // by the authorities of control/tlsdclientca
};

// A record each, of a letter and a value: v protocol, c cipher, b bits, r resumed, n name, s subject, f
// fingerprint, y verified; the flags have the value 1. What smtpd could not take is left out.
std::string serialise_tls_facts(const TlsFacts& facts);
// Words that cannot stand in a header field or a log line as they are make the whole answer a failure; the
// subject may have any bytes but NUL.
Result<TlsFacts> parse_tls_facts(std::string_view bytes);

// Letters, digits, dot, hyphen, underscore and colon; 1 to 255 of them.
bool is_tls_word(std::string_view text);

}  // namespace postern
