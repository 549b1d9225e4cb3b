// One command line of RFC 5321, taken apart. Nothing here knows the session: a line in, a value out.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "smtpd/replies.h"

namespace postern::smtpd {

enum class Verb : uint8_t {
  helo,
  ehlo,
  mail,
  rcpt,
  data,
  rset,
  noop,
  quit,
  vrfy,
  help,
  not_implemented,  // SMTP knows it, we do not offer it
  not_smtp,         // the first word of another protocol: a browser led astray, or somebody behind it
  forbidden_bytes,  // control or 8-bit characters anywhere in the line
  unknown,
};

struct Command {
  Verb verb = Verb::unknown;
  std::string_view argument;  // without spaces around it
};

// `line` is without its CR LF.
Command parse_command(std::string_view line);

// HELO and EHLO: a host name, an address literal, or what careless clients say in its place (any printable
// characters but spaces and those with a meaning in a Received: line).
bool is_greeting_name(std::string_view argument);

struct MailArgument {
  Reply reply = Reply::sender_ok;  // anything else: refuse the command with it
  std::string sender;              // empty: the null reverse-path
  uint64_t size_bytes = 0;         // SIZE=, 0 when not given
  std::string body;                // "7BIT", "8BITMIME" or empty
};
// "FROM:<path> parameters"
MailArgument parse_mail(std::string_view argument);

struct RcptArgument {
  Reply reply = Reply::recipient_ok;
  std::string recipient;  // "postmaster" may come without a domain
};
// "TO:<path>"
RcptArgument parse_rcpt(std::string_view argument);

}  // namespace postern::smtpd
