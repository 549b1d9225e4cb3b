// What becomes of the header that a user wrote, and the envelope that follows from it and from the command
// line.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "inject/header.h"
#include "inject/setup.h"
#include "lib/envelope.h"
#include "lib/result.h"

namespace postern::inject {

enum class RecipientsFrom : uint8_t { arguments, header, either, both };

// What the command line asked for.
struct Order {
  RecipientsFrom recipients_from = RecipientsFrom::either;
  std::vector<std::string> arguments;    // address lists
  std::optional<std::string> sender;     // -f; empty: the null reverse-path
  std::optional<std::string> name;       // -F: the author's
  bool sender_is_author = false;         // a missing From: names the sender
  bool ignore_return_path = false;       // as the letter s of QMAILINJECT
  bool complete = true;                  // false: no field is added or completed
  bool dot_ends = false;                 // a line of one dot ends the message
  std::string ret, envid, notify, body;  // of the envelope; notify for every recipient
};

struct Composed {
  std::string header;  // with the empty line behind it
  Envelope envelope;
};

// `seconds` since 1970 and `number` (a mid) make Date and Message-ID. Failures are permanent: 5.5.4 no
// recipient was named, 5.1.3 and 5.1.7 an address is none, 5.5.3 too many.
Result<Composed> compose(const std::vector<Field>& fields, const Order& order, const Setup& setup,
                         uint64_t seconds, uint64_t number);

// A person's name as a phrase of RFC 5322: as it is, quoted, or as encoded words (RFC 2047).
std::string phrase(std::string_view name);

}  // namespace postern::inject
