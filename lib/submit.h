// The client's side of the queue interface (design, Joint 2): hands a message to QMAILQUEUE, POSTERN_QUEUE or
// any program in their place, and says in one type what came of it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/envelope.h"
#include "lib/environment.h"
#include "lib/result.h"

namespace postern {

// Reply code and enhanced status always travel as a pair (RFC 5321, RFC 3463).
struct SmtpReply {
  std::string code;    // "250"
  std::string status;  // "2.0.0"
  std::string text;
  [[nodiscard]] bool accepted() const { return code.starts_with('2'); }
  [[nodiscard]] bool permanent() const { return code.starts_with('5'); }
  [[nodiscard]] std::string line() const { return code + " " + status + " " + text; }  // without CRLF
};

struct QueueAnswer {
  int exit_code = 0;   // as the interface says; 0 is taken and durable
  std::string reason;  // what came on descriptor 6, only with 82: "D554 5.7.1 text" and the like
  std::string
      output{};  // what a resident said besides: for a release the fates of its parts (postern-scanq(8))
};

// The one table of what each exit code of the queue interface means to an SMTP client.
SmtpReply queue_reply(const QueueAnswer& answer);
// The bytes for descriptor 6 that say this refusal.
std::string queue_reason(const SmtpReply& reply);
// The exit code of the interface for a failure: its own where it has one, else 31 (permanent) or 81.
int queue_exit_code(const Failure& failure);

// Passes descriptors 0 (message), 1 (envelope), 5 (extras, when there are any) and 6 (reason). `message` must
// be a sealed memory file or a file that nobody changes. Never a guess: whatever goes wrong is a temporary
// answer.
QueueAnswer submit(std::string_view program, int message, const Envelope& envelope,
                   const Environment& environment, int64_t deadline_milliseconds);

}  // namespace postern
