// One message over a connection: MAIL, RCPT, DATA or BDAT, and what the server says to each.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "remote/report.h"
#include "remote/smtp_commands.h"
#include "remote/smtp_session.h"

namespace postern {

struct TransactionEnd {
  // The server said nothing of the message (it was gone, or refused MAIL for now), or it lacks what the
  // message needs (a permanent failure): another one may be tried. Then there are no results.
  std::optional<Failure> trouble;
  std::vector<RecipientResult> results;  // one a recipient
  // Recipients (temporary failures in `results`) that may be tried again at once: in a further transaction,
  // because they were too many for this one (RFC 5321 4.5.3.1.10) ...
  std::vector<size_t> again;
  // ... or over a new connection without BDAT, which the server has announced and does not know: also for
  // messages to come, whether or not any recipient is left.
  bool without_chunking = false;
};

// Leaves the session ready for the next message, or not usable.
TransactionEnd send_message(SmtpSession& session, const OutgoingMessage& message);

}  // namespace postern
