// What a .qmail file says: dot-qmail(5)'s lines as instructions. Pure text; which file it is and whether it
// may be believed is local/dot_qmail_file.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/result.h"

namespace postern {

enum class Action { program, forward, mbox, maildir };

struct Instruction {
  Action action;
  std::string text;  // the command, the address, or the path, which ends with / for a Maildir
};

struct DotQmail {
  std::vector<Instruction> instructions;  // in the file's order
  bool list = false;                      // +list: it may do nothing but forward
};

// More lines than any mailing list kept in one file should have; the next hop takes no more recipients.
constexpr size_t kDotQmailLimitBytes = 4 * 1024 * 1024;

// Every line is judged before anything is done, so that a file with a fault does nothing at all. The failure
// is temporary (its owner will put it right) and names `name`, the line and the remedy. `forward_only`
// refuses programs and files, as +list does from its line on.
Result<DotQmail> parse_dot_qmail(std::string_view text, std::string_view name, bool forward_only);

}  // namespace postern
