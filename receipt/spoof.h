// The spoof check of submission (R25): envelope sender and header From: have to be addresses that the user
// who has authenticated may send as.
#pragma once

#include <string_view>

#include "receipt/authors.h"
#include "receipt/decision.h"
#include "receipt/send_as.h"

namespace postern {

// At MAIL. The null reverse-path claims nothing: receipts and automatic answers have it.
Decision check_sender(const SendAs& table, std::string_view user, std::string_view sender);
// When the header has come: exactly one From:, understood, each of its addresses the user's, and no other
// address shown in its names; at most one Sender:, the same.
Decision check_authors(const SendAs& table, std::string_view user, const Authors& authors);

}  // namespace postern
