// The server's side of the queue interface (design, Joint 2): reading what came on descriptors 1 and 5,
// answering on 6.
#pragma once

#include "lib/envelope.h"
#include "lib/serve.h"
#include "lib/submit.h"

namespace postern {

// Envelope and, where POSTERN_EXTRAS=5 says so, its extras. Exit codes 11, 54 and 91 in the failure.
Result<Envelope> receive_envelope(const Job& job);

// Exit code 82 with the reply on descriptor 6; without that descriptor 31 (permanent) or 81.
int refuse(const Job& job, const SmtpReply& reply);

}  // namespace postern
