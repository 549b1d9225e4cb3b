// One delivery to one mailbox, by its user: the job of postern-local. Which .qmail file holds, what it says,
// and what came of each of its lines.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lib/result.h"
#include "local/outcome.h"

namespace postern {

// The command line of qmail-local, in its order, and what else is known of the message.
struct MailboxDelivery {
  std::string user;
  std::string home;
  std::string local;
  std::string dash;
  std::string ext;
  std::string domain;
  std::string sender;
  std::string default_delivery;  // what an empty .qmail file means: "./Maildir/" or any line of dot-qmail(5)
  std::string mid;               // of the message; may be empty
  bool keep_unsigned = false;    // it came from outside: what is forwarded of it is not signed as ours
  bool has_extras = false;       // RFC 3461's, of descriptor 5:
  std::string extras;
  unsigned program_seconds = kProgramSeconds;
  uint64_t program_memory_bytes = UINT64_MAX;
};

// Temporary when there are not exactly eight.
Result<MailboxDelivery> mailbox_delivery_of(const std::vector<std::string>& arguments);

// `message` is a file that nobody changes. Works in the home directory and stays there.
MailboxOutcome deliver_to_mailbox(const MailboxDelivery& delivery, int message);

// What would be done, a line each: "maildir PATH", "program COMMAND"... Does nothing of it.
Result<std::string> describe_delivery(const MailboxDelivery& delivery);

}  // namespace postern
