// The value of a From: or Sender: field, read so that nobody can read another author in it: what is not plain
// by RFC 5322 is not understood, rather than guessed as lenient readers do, each in its own way.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace postern {

struct FromField {
  std::string problem;                 // why it is not understood; empty: it is
  std::vector<std::string> addresses;  // local-part without needless quotes @ domain in A-labels, lower case
  std::vector<std::string> shown;      // what looks like an address in names and comments, decoded
  [[nodiscard]] bool understood() const { return problem.empty(); }
};

// A list of mailboxes and groups (RFC 5322 3.4, RFC 6854), with comments and the encoded words of RFC 2047.
FromField parse_from(std::string_view value);

// One address in the form that two of them are compared in.
std::string comparable_address(std::string_view address);

}  // namespace postern
