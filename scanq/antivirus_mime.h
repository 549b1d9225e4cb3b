// The MIME parts of a message, decoded, for a scanner that looks at each of them by itself. Hostile input is
// what this reads: depth, number and size of the parts are bounded, and what is over a bound is said, never
// passed over.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

#include "lib/result.h"

namespace postern {

struct MimeLimits {
  size_t depth = 64;                                 // multiparts and messages inside each other
  size_t parts = 5000;                               // leaves
  size_t decoded_bytes = size_t{400} * 1024 * 1024;  // of all leaves together
  // Lines that may be a delimiter (`--…`) or a header field (`name:…`), wherever they stand. Each may become
  // an object of about 1.5 KB, or 500 bytes, before the parts can be counted.
  size_t delimiter_lines = 20000;
  size_t field_lines = 100000;
  // Of all fields that hold addresses, together: GMime's time for one grows with the square of its length (a
  // second for 32 KiB).
  size_t address_bytes = 128 * 1024;
};

// Has the message one part only, and that one as it stands: text/plain without a transfer encoding that hides
// bytes? Any doubt (a header that is not well-formed, a field twice) is no.
bool is_plain_message(std::string_view message);
// What stands behind the first empty line; nothing when there is none.
std::string_view body_of(std::string_view message);

// Calls `visit` with the decoded content of each leaf that is not empty, until it returns false; twice or
// more where mail readers decode it differently. The view lives for that call. A failure is temporary: the
// message is over a limit, and some of it was not visited.
Result<void> walk_mime(std::string_view message, const MimeLimits& limits,
                       const std::function<bool(std::string_view content)>& visit);

// Starts the MIME library; a resident does it before it forks workers.
void prepare_mime();

}  // namespace postern
