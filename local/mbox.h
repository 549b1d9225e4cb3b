// Delivery into an mbox: one file, messages behind one another, each behind a From_ line. The file is locked
// with fcntl(2) and then flock(2), because Debian's readers use the one and qmail's the other; a failed
// append is cut off again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/result.h"

namespace postern {

constexpr int64_t kMboxLockMilliseconds = 30000;

// "From SENDER DATE" with the LF, as readers of mbox files expect it: the date as asctime(3) writes it, in
// UTC; MAILER-DAEMON for a bounce; blanks and control bytes of the sender become '-'.
std::string mbox_from_line(std::string_view sender, uint64_t seconds_since_1970);

// A piece of a message with '>' put before each line that is "From " behind any number of '>', so that no
// reader takes it for the next message. Lines come in any pieces.
class MboxQuoting {
 public:
  void feed(std::string_view piece, std::string& into);
  // The LF of the last line where it has none, and the empty line that ends a message.
  void end(std::string& into);

 private:
  std::string start_;     // of a line that may still turn out to be one
  bool deciding_ = true;  // nothing but '>' and start_ of this line has come
  bool fresh_ = true;     // nothing at all of it has
};

// Appends `first_lines` (From_ line and trace fields) and the message (a file, read from offset 0). Returns
// the path. What went wrong is temporary, and the file is as long as before; only a kill leaves a part of a
// message.
Result<std::string> deliver_to_mbox(const std::string& path, std::string_view first_lines, int message,
                                    int64_t lock_milliseconds = kMboxLockMilliseconds);

}  // namespace postern
