// The whole job of postern-inject and postern-sendmail: read a message from descriptor 0, compose its header
// and envelope, and hand it to the program in QMAILQUEUE.
#pragma once

#include "inject/compose.h"
#include "lib/environment.h"
#include "lib/submit.h"

namespace postern::inject {

enum class Then : uint8_t { queue, print };  // print: to descriptor 1, and nobody is asked

// What came of it, as a reply: "250" is taken and durable, or printed.
SmtpReply hand_in(const Order& order, const Environment& environment, Then then);

}  // namespace postern::inject
