// control/senderexceptions: envelope senders for whom the verification of senders does not decide. One line
// each; what is more exact goes first, wherever it stands: an address, then its domain, then the nearest
// domain above it.
//
//   friend@example.org   accept
//   example.org          reject 550 5.7.1 we have had enough of you
//   .example.net         accept          all below example.net, not itself
//
// Compiled to control/senderexceptions.cdb, which is what smtpd asks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lib/cdb_table.h"
#include "lib/result.h"

namespace postern {

struct SenderException {
  std::string entry;  // the line's first word, in lower case, its domain in A-labels
  size_t line = 0;    // of the text
  bool accept = true;
  uint16_t code = 0;  // of a rejection; 0 and an empty text: what the check says
  std::string text{};
};

// What a line says; the failure (permanent) is what is wrong with it and the remedy, to stand behind the
// line.
Result<SenderException> parse_exception_line(std::string_view line);
// The value that stands in the compiled table, and back.
std::string exception_value(const SenderException& exception, size_t line_number);

class SenderExceptions {
 public:
  // Without the compiled table there are none.
  static Result<SenderExceptions> open();
  Result<std::optional<SenderException>> find(std::string_view sender);

 private:
  std::optional<CdbTable> table_;
};

}  // namespace postern
