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
  bdat,
  rset,
  noop,
  quit,
  vrfy,
  expn,
  help,
  auth,
  xclient,
  starttls,
  not_implemented,  // SMTP knows it, we do not offer it
  not_smtp,         // the first word of another protocol: a browser led astray, or somebody behind it
  forbidden_bytes,  // control characters anywhere in the line, 8-bit ones where no address stands
  unknown,
};

struct Command {
  Verb verb = Verb::unknown;
  std::string_view argument;  // without spaces around it
};

// `line` is without its CR LF.
Command parse_command(std::string_view line);

// RFC 2920, 3.1: only as the last command of a group, because what follows depends on its reply.
bool ends_a_group(Verb verb);

// HELO and EHLO: a host name, an address literal, or what careless clients say in its place (any printable
// characters but spaces and those with a meaning in a Received: line).
bool is_greeting_name(std::string_view argument);

// VRFY and EXPN: an address in any form, behind it SMTPUTF8 where it is not ASCII (RFC 6531, 3.7.4).
bool is_plain_or_announced_utf8(std::string_view argument);

struct ChunkArgument {
  Reply reply = Reply::chunk_ok;  // bad_chunk_size: nobody can say where the chunk ends
  uint64_t size_bytes = 0;        // else this is known even where the command is refused
  bool last = false;
};
// "size [LAST]" (RFC 3030, 2)
ChunkArgument parse_chunk(std::string_view argument);

}  // namespace postern::smtpd
