// The replies of an SMTP server, byte by byte and within bounds: whatever a server sends, we neither wait for
// more than that nor keep more.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "lib/result.h"

namespace postern {

struct ServerReply {
  unsigned code = 0;               // 200 to 599
  std::vector<std::string> lines;  // what stands behind the code, a line each; foreign bytes

  [[nodiscard]] bool is_class(unsigned first_digit) const { return code / 100 == first_digit; }
  // The enhanced status (RFC 2034) of the first line where its class agrees with the code, else "5.0.0" and
  // the like.
  [[nodiscard]] std::string status() const;
  // The lines without their enhanced status, joined by blanks, at most `limit` bytes; foreign bytes.
  [[nodiscard]] std::string text(size_t limit) const;
};

class ReplyParser {
 public:
  // Takes bytes up to the end of one reply; how many. A failure (temporary, 4.5.0) when they are none: no
  // code, codes that differ within a reply, a line over 2048 bytes, over 128 lines.
  Result<size_t> feed(std::string_view bytes);
  [[nodiscard]] bool complete() const { return complete_; }
  // The reply that is complete; the parser is then ready for the next.
  ServerReply take();

 private:
  Result<void> end_line();

  ServerReply reply_;
  std::string line_;
  bool complete_ = false;
};

}  // namespace postern
