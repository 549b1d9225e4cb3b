// The recipient access table, control/rat (postern-rat(5)): for whom mail from outside is taken.
//
//   ENTRY[, ENTRY…] ACCEPT [bypass=CHECK,…] [CODE TEXT]
//   ENTRY[, ENTRY…] REJECT [CODE TEXT]
//
// An entry is user@domain, user@, domain, .domain, [address] or ALL. The first line that fits counts; an
// address that fits none is refused as one of a domain that is not ours.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lib/submit.h"
#include "receipt/line_table.h"

namespace postern {

// Checks behind the table that an entry's addresses do not go through.
struct Bypass {
  bool users = false;  // of this host
  bool program = false;
  bool ldap = false;
  bool call_ahead = false;
  bool rates = false;
  bool operator==(const Bypass&) const = default;
};

struct RecipientEntry {
  bool accepts = true;
  Bypass bypass;
  std::optional<SmtpReply> reply;  // its own
  size_t line = 0;
};

// The failure (permanent) names file, line and remedy. Lines that can never count are told in `doubts`.
Result<CdbRecords> parse_recipient_table(std::string_view text, std::string_view file,
                                         std::vector<std::string>& doubts);
// What a line has behind its entries, as the compiled table holds it; nothing where it is broken.
std::optional<RecipientEntry> recipient_entry_of(const LineMatch& match);

// "550 5.1.1 text" to a reply; without an enhanced status its class's. Nothing when the code is not of
// `classes`, "45" and the like, or what stands there could not be sent.
std::optional<SmtpReply> parse_reply(std::string_view text, std::string_view classes,
                                     std::string_view detail);

}  // namespace postern
