// MAIL and RCPT for one server: what it offers, what the message needs, and what RFC 3461 passes on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/envelope.h"
#include "lib/result.h"
#include "remote/message_body.h"
#include "remote/smtp_session.h"

namespace postern {

struct OutgoingMessage {
  int fd = -1;  // LF lines, read with pread from 0
  uint64_t size = 0;
  mutable std::optional<BodyFacts> facts;  // once a server wanted them
  Envelope envelope;
  bool refuse_8bit = false;  // 8-bit bytes go to no server without 8BITMIME (control/eightbitmime)
};

struct RecipientCommand {
  std::string text;                // "RCPT TO:<a@example.org>\r\n"; empty: not to be said
  std::optional<Failure> failure;  // why not
  bool passes_notify = false;      // the server gets NOTIFY, and will tell the sender
};

struct EnvelopeCommands {
  // The message cannot be said to any server; or this one lacks what it needs, and another one may have it.
  std::optional<Failure> refused;
  std::optional<Failure> unfit;
  std::string mail;
  std::vector<RecipientCommand> recipients;
};

EnvelopeCommands make_commands(const OutgoingMessage& message, const SmtpSession& session);

// An address for MAIL or RCPT: a local-part that is neither a dot-atom nor quoted is quoted. Nothing when a
// byte in it could end the command.
std::optional<std::string> smtp_address(std::string_view address);

}  // namespace postern
