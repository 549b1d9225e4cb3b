// The verbs that change an envelope. An address is one of the message's when the local-parts are the same and
// the domains too, letter case aside. The same address may stand in an envelope more than once: all of them
// are meant.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/envelope.h"
#include "lib/result.h"

namespace postern {

// Nothing happens when it is there already. Fails when there would be more than an envelope can have.
Result<void> add_recipient(Envelope& envelope, std::string_view address);
// Nothing happens when it is not there.
void remove_recipient(Envelope& envelope, std::string_view address);
// Keeps its place and what the sender asked of it (RFC 3461 5.2.7). Fails when it is not there.
Result<void> replace_recipient(Envelope& envelope, std::string_view old, std::string_view address);
// Takes these out of the envelope. Fails when one is not there.
Result<std::vector<Recipient>> take_recipients(Envelope& envelope, const std::vector<std::string>& addresses);
// All recipients when none is named. Fails when one is not there.
Result<void> route_recipients(Envelope& envelope, std::string_view route,
                              const std::vector<std::string>& addresses);
// After an address was put in: one that is not ASCII needs SMTPUTF8 (RFC 6531).
void note_utf8(Envelope& envelope, std::string_view address);

}  // namespace postern
