// How a delivery to a mailbox ended: what postern-local says and postern-lspawn reports.
#pragma once

#include <string>

#include "lib/result.h"

namespace postern {

constexpr int kDelivered = 0;
constexpr int kNever = 100;
constexpr int kTryAgain = 111;

// Programs of one delivery have so long unless told, and may be told at most so much.
constexpr unsigned kProgramSeconds = 240;
constexpr unsigned kProgramSecondsLimit = 3600;
// What the rest of a delivery may take beyond that: handing on what is forwarded, a slow disk. postern-lspawn
// waits a little longer.
constexpr unsigned kOtherSeconds = 50;

struct MailboxOutcome {
  int exit_code = kTryAgain;
  std::string
      line;  // what happened, printable, without LF: "maildir: PATH", or an enhanced status and a text
  char letter = 's';  // of the report (INTERNALS.md, 5): r, p, e, h or s
};

// What a failure is to the caller: its status and its text.
MailboxOutcome mailbox_outcome_of(const Failure& failure);

}  // namespace postern
