// Who hands the message in and how this host completes addresses: control files, the environment that users
// of qmail know, and the user database.
#pragma once

#include <cstdint>
#include <string>

#include "inject/address_list.h"
#include "lib/environment.h"
#include "lib/result.h"

namespace postern::inject {

struct Setup {
  Completion completion;
  std::string id_host;               // of Message-ID
  std::string author_user;           // QMAILUSER, MAILUSER, USER, LOGNAME, else of the user database
  std::string author_host;           // QMAILHOST, MAILHOST; empty: the default host
  std::string author_name;           // QMAILNAME, MAILNAME, NAME
  std::string account_name;          // the full name in the user database, for sendmail; may be empty
  std::string sender_user;           // QMAILSUSER, else author_user
  std::string sender_host;           // QMAILSHOST, else author_host
  std::string letters;               // QMAILINJECT
  std::string list_addresses;        // the file of QMAILMFTFILE, one address a line
  uint64_t message_limit_bytes = 0;  // control/databytes; 0: none

  [[nodiscard]] bool letter(char c) const { return letters.find(c) != std::string::npos; }
};

Result<Setup> read_setup(const Environment& environment);

// An address that is made of parts which somebody set, as it may stand in a header and in an envelope.
std::string made_address(const std::string& user, const std::string& host, const Completion& completion);

}  // namespace postern::inject
