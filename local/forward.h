// Handing a message on to other addresses, through the queue interface (design, Joint 2): all forward lines
// of a .qmail file together are one new message.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/envelope.h"
#include "lib/result.h"

namespace postern {

// How what the sender asked to be told (RFC 3461) goes on with a forwarded message.
enum class Notices {
  pass_on,  // 5.2.7.2: one address in the place of another: NOTIFY, ORCPT, RET and ENVID stay
  expand,   // 5.2.7.3: several: the same without SUCCESS, because we say "expanded"
  keep      // 5.2.7.1: a list with a sender of its own: none of it; the message has arrived
};

// NOTIFY= without SUCCESS; where nothing else was asked for, NEVER.
std::string notify_without_success(std::string_view notify);

// The envelope of the forwarded message. `extras` are those of the one recipient that we deliver for; what is
// true of the message itself (BODY, SMTPUTF8) always goes on.
Result<Envelope> forward_envelope(std::string_view extras, std::string_view sender,
                                  const std::vector<std::string>& addresses, Notices notices);

// What a forward comes from.
struct ForwardParent {
  std::string mid;  // empty: not known
  bool keep_unsigned =
      false;  // it came from outside: whoever forged us as its author must not be believed for it
};

// Submits `first_lines` and the message (a file, read from offset 0) to QMAILQUEUE, or to @pickup where that
// is not set.
Result<void> forward_message(const Envelope& envelope, std::string_view first_lines, int message,
                             const ForwardParent& parent, int64_t deadline_milliseconds);

}  // namespace postern
