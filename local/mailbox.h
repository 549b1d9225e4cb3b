// One delivery to one mailbox, by its user: the job of postern-local.
#pragma once

#include <string>
#include <vector>

#include "lib/result.h"

namespace postern {

constexpr int kDelivered = 0;
constexpr int kDeliveredStopHere = 99;
constexpr int kNever = 100;
constexpr int kTryAgain = 111;

// The command line of qmail-local, in its order.
struct MailboxDelivery {
  std::string user;
  std::string home;
  std::string local;
  std::string dash;
  std::string ext;
  std::string domain;
  std::string sender;
  std::string default_delivery;  // "./Maildir/"
};

// Temporary when there are not exactly eight.
Result<MailboxDelivery> mailbox_delivery_of(const std::vector<std::string>& arguments);

struct MailboxOutcome {
  int exit_code = kTryAgain;
  std::string
      line;  // what happened, printable, without LF: "maildir: PATH", or an enhanced status and a text
};

// `message` is a file that nobody changes. Works in the home directory and stays there.
MailboxOutcome deliver_to_mailbox(const MailboxDelivery& delivery, int message);

// What a failure is to the caller: its status and its text.
MailboxOutcome mailbox_outcome_of(const Failure& failure);

}  // namespace postern
