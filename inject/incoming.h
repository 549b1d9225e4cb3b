// One message of a user of this host as postern-pickup takes it: what the user says of it is checked, what he
// says of himself is not believed.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>

#include "inject/pickup_settings.h"
#include "lib/envelope.h"
#include "lib/fd.h"
#include "lib/serve.h"
#include "lib/submit.h"

namespace postern::inject {

// What a request says and pickup only writes down: "" or a number.
struct Claims {
  std::string mid;             // POSTERN_MID: the number that the user's program gave it
  std::string parent;          // POSTERN_PARENT_MID: the message that this one was made of
  bool keep_unsigned = false;  // POSTERN_SIGN=no: it was made of mail from outside
};
Claims claims_of(const Environment& environment);

// To a user whom control/pickupusers does not name. A forward waits: our own configuration must not become a
// bounce to whoever wrote to an alias.
SmtpReply refusal_of_user(uid_t uid, const Claims& claims);

// What goes on to the scanner: nothing of the user's environment but the claim of a parent, and that there is
// nothing in it to sign.
Environment message_environment(uint64_t mid, const Claims& claims);

// The recipients of a forward are counted where it is made: a refusal here would bounce a list's mail.
SmtpReply check_number(const Envelope& envelope, const Claims& claims, uint64_t most);

// The addresses are completed with control/me where they have no domain. The reply is 250, or why they are
// refused.
SmtpReply check_envelope(Envelope& envelope, const std::string& me);

// RFC 5322, 3.6.7 and RFC 5321, 4.4.
std::string received_line(uid_t uid, uint64_t mid, const std::string& me);

struct OwnMessage {
  SmtpReply reply;  // 250, or why there is no message
  Fd file;          // a sealed memory file
  uint64_t size_bytes = 0;
};
// Our own copy, with LF line ends, behind `first_header`.
OwnMessage copy_message(int from, const std::string& first_header, const PickupSettings& settings);

}  // namespace postern::inject
