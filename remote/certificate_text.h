// Certificates in words, for people who look for why one does not fit.
#pragma once

#include <openssl/ssl.h>

#include <string>
#include <vector>

namespace postern {

// Printable, all of it.
struct ShownCertificate {
  std::string subject;
  std::string issuer;
  std::vector<std::string> names;  // the DNS names of subjectAltName
  std::string not_before;          // "2026-11-22T10:00:00Z"
  std::string not_after;
  std::string certificate_sha256;  // as in TLSA x 0 1
  std::string key_sha256;          // as in TLSA x 1 1
};

// Those that the server showed, its own first; at most 20.
std::vector<ShownCertificate> shown_chain(const SSL* connection);

}  // namespace postern
