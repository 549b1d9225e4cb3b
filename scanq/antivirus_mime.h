// The pieces that a message is made of, decoded, in every way that mail readers are known to read it, for a
// scanner that looks at each by itself. Hostile input is what this reads: depth, number, size and time are
// bounded, and what is over a bound, or cannot be put together from this message alone, is said, never passed
// over. doc/INTERNALS.md, section 4, lists the readings.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace postern {

struct MimeLimits {
  size_t depth = 64;                                 // multiparts, messages and encodings inside each other
  size_t parts = 5000;                               // entities looked at, and pieces visited
  size_t decoded_bytes = size_t{400} * 1024 * 1024;  // of all pieces together
  size_t delimiter_lines = 20000;                    // of one boundary, in one buffer
  size_t marks = 200000;  // lines that may begin something (`begin `, `=ybegin`, `Content-…:`), likewise
  size_t seconds = 30;    // for the walk itself, without what `visit` takes
};

// One part as it stands in the tree of the standard's reading. What another reading alone finds has the place
// of the part that it lies in.
struct MimePlace {
  std::vector<unsigned> path;  // positions from the top, 0 is the first child; a message's content is child 0
  size_t begin = 0;            // its bytes in the message as it came, header and body
  size_t end = 0;
};

struct MimePiece {
  std::string_view bytes;
  const std::vector<std::string>& names;  // as any reader may call it: raw, unquoted, RFC 2231, RFC 2047
  std::string_view type;                  // "text/html", lower-case; of several the first, empty where none
  std::string_view encoding;  // "", "base64", "quoted-printable", "uuencode", "yenc", "binhex", "tnef"…
  const MimePlace& place;
  // A message inside the message, as it stands: its own pieces are visited by themselves, so no scanner needs
  // to look at this one; it has the names that it is attached under.
  bool is_message = false;
};

struct MimeReport {
  std::string ambiguous;   // why not all that a reader may make of it was visited; empty: all was
  bool encrypted = false;  // S/MIME or PGP: the content cannot be looked at
  std::string limit;       // which limit it is over; some of it was not visited
};

// Calls `visit` with each piece that is not empty, until it returns false. No place is decoded twice in the
// same way. The views live for that call.
MimeReport walk_pieces(std::string_view message, const MimeLimits& limits,
                       const std::function<bool(const MimePiece&)>& visit);

// Has the message one part only, and that one as it stands: text/plain without a transfer encoding that hides
// bytes, with nothing in it that some reader unpacks? Any doubt (a header that is not well-formed, a field
// twice) is no.
bool is_plain_message(std::string_view message);
// What stands behind the first empty line; nothing when there is none.
std::string_view body_of(std::string_view message);

}  // namespace postern
