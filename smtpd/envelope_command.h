// MAIL and RCPT: a path and its parameters (RFC 5321, 4.1.1.2 and 4.1.1.3; SIZE of RFC 1870, BODY of RFC
// 6152, SMTPUTF8 of RFC 6531, RET, ENVID, NOTIFY and ORCPT of RFC 3461).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "smtpd/replies.h"

namespace postern::smtpd {

struct MailArgument {
  Reply reply = Reply::sender_ok;  // anything else: refuse the command with it
  std::string sender;              // empty: the null reverse-path
  uint64_t size_bytes = 0;         // SIZE=, 0 when not given
  std::string body;                // "7BIT", "8BITMIME" or empty
  std::string ret;                 // "FULL", "HDRS" or empty
  std::string envid;               // as given, xtext
  bool smtputf8 = false;
  bool has_auth = false;  // AUTH= (RFC 4954, 5), well-formed
  bool bare = false;      // with Reply::bad_sender: nothing is wrong but that the sender has no domain
};
enum class Malformed : uint8_t { refuse, allow };
// "FROM:<path> parameters"; `malformed`: what becomes of a path that is none, as <a@@b>.
MailArgument parse_mail(std::string_view argument, Malformed malformed = Malformed::refuse);

struct RcptArgument {
  Reply reply = Reply::recipient_ok;
  std::string recipient;  // "postmaster" may come without a domain
  bool bare = false;      // with Reply::bad_recipient: nothing is wrong but that there is no domain
  std::string notify;     // "NEVER", a list of SUCCESS, FAILURE and DELAY in this order, or empty
  std::string orcpt;      // as given
};
// "TO:<path> parameters"; `smtputf8`: what MAIL has said.
RcptArgument parse_rcpt(std::string_view argument, bool smtputf8);

}  // namespace postern::smtpd
