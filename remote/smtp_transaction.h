// One message over a connection: MAIL, RCPT, DATA and what the server says to each.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "remote/report.h"
#include "remote/smtp_session.h"

namespace postern {

struct OutgoingMessage {
  int fd = -1;  // LF lines, read with pread from 0
  uint64_t size = 0;
  std::string sender;
  std::vector<std::string> recipients;
  bool declared_8bit = false;  // BODY=8BITMIME came with it
};

struct TransactionEnd {
  // The server said nothing of the message (it was gone, or refused MAIL for now), or it lacks what the
  // message needs (a permanent failure): another one may be tried. Then there are no results.
  std::optional<Failure> trouble;
  std::vector<RecipientResult> results;  // one a recipient
};

// Leaves the session ready for the next message, or not usable.
TransactionEnd send_message(SmtpSession& session, const OutgoingMessage& message);

// An address for MAIL or RCPT: a local-part that is neither a dot-atom nor quoted is quoted. Nothing when a
// byte in it could end the command.
std::optional<std::string> smtp_address(std::string_view address);

}  // namespace postern
