// control/dkim: which mail is signed, with which key. A line for each signature:
//
//   DOMAIN SELECTOR KEYFILE [OPTION...]
//
// DOMAIN is that of the author's address: "example.org", ".example.org" for all below it, or "*" for all.
// The nearest lines count, all of them: two lines for one domain make two signatures. "DOMAIN none" signs
// nothing. Options: rsa-sha256 or ed25519-sha256 (what the key must be), domain=D (d=), identity=I (i=),
// canonical=relaxed/relaxed or with simple.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "lib/result.h"

namespace postern {

// RFC 6376 3.4.
enum class Canonical { relaxed, simple };
enum class DkimAlgorithm { rsa_sha256, ed25519_sha256 };
std::string_view algorithm_name(DkimAlgorithm algorithm);

struct DkimLine {
  size_t number = 0;      // in the file
  std::string selector;   // s=; empty: "none"
  std::string key_file;   // below secrets/, unless it is absolute
  std::string domain;     // d=; empty: the author's
  std::string identity;   // i=; empty: not said
  std::string algorithm;  // as the line says; empty: the key's
  Canonical header = Canonical::relaxed;
  Canonical body = Canonical::relaxed;
};

class DkimTable {
 public:
  // The failure (temporary, 55) names file, line and remedy.
  static Result<DkimTable> parse(std::string_view text, std::string_view file_name);

  // The lines for an author's domain (lower case, A-labels), each with its d=. Of "*" lines without domain=
  // only where `ours`: nobody's key but ours can be under a name of somebody else.
  [[nodiscard]] std::vector<DkimLine> find(const std::string& domain, bool ours) const;
  // Every line with a key.
  [[nodiscard]] std::vector<DkimLine> all() const;

 private:
  std::unordered_map<std::string, std::vector<DkimLine>> lines_;
};

// control/dkimheaders: the header fields that are signed, a name a line, "+NAME" for one that is signed once
// more than it is there, so that none can be added (RFC 6376 8.15).
struct SignedHeader {
  std::string name;
  bool oversigned = false;
};
Result<std::vector<SignedHeader>> parse_signed_headers(std::string_view text, std::string_view file_name);
const std::vector<SignedHeader>& default_signed_headers();

}  // namespace postern
