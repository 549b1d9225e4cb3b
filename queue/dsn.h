// The text of a notification: a DSN (RFC 3464, in the multipart/report of RFC 6522; RFC 6533 where addresses
// are not ASCII).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/bounce_template.h"
#include "queue/bounce_request.h"
#include "queue/dsn_text.h"

namespace postern {

// What stands in the third part.
struct Returned {
  bool full = false;       // the whole message; else its header
  bool eight_bit = false;  // it holds bytes outside ASCII
};

struct DsnParts {
  std::string head;        // everything before the returned message or its header
  std::string tail;        // what closes it
  bool eight_bit = false;  // needs 8BITMIME
  bool smtputf8 = false;   // needs SMTPUTF8
  bool encodes = false;    // what is returned has to be put through quoted_printable()
};
// The same as one plain text, of which the header of the message is the end: `returned` is never full.
// `words`: what people read, in another language; what is missing in it is built in.
// `me` is the reporting MTA; `dsn_mid` makes boundary and Message-ID; times in seconds since 1970.
DsnParts make_dsn(const BounceRequest& request, const Returned& returned, std::string_view me,
                  uint64_t dsn_mid, uint64_t now_seconds, const BounceTemplate& words = {});

}  // namespace postern
