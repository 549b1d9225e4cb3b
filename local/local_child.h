// postern-lspawn's children: postern-local --worker, each as one user, each asked again for the next message
// of its user. Starting a process costs as much CPU as all the rest of a delivery, so they are kept: few, for
// a bounded time and number of messages. A child holds the rights of its user alone and has seen no one
// else's mail.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lib/child.h"
#include "lib/fd.h"
#include "local/mailbox.h"

namespace postern {

class LocalChildren {
 public:
  LocalChildren() = default;
  LocalChildren(const LocalChildren&) = delete;
  LocalChildren& operator=(const LocalChildren&) = delete;
  ~LocalChildren() { end_all(); }

  // Has a postern-local (beside our own executable) that runs as `identity` (nothing: as we are) deliver the
  // message with these arguments, and waits for it up to the deadline. The line is bounded and printable
  // whatever the child said; exit code 99 has become 0, and whatever is neither 0 nor 100 has become 111.
  MailboxOutcome deliver(const std::optional<Identity>& identity, const std::vector<std::string>& arguments,
                         int message, int64_t deadline_milliseconds);

  // Ends those that have been idle or at work for long enough. Milliseconds until it should be called again,
  // -1: no need.
  int64_t end_stale();
  void end_all();

 private:
  struct Child {
    pid_t pid;
    Fd socket;
    std::optional<Identity> identity;
    unsigned deliveries = 0;
    int64_t last_used = 0;  // milliseconds
  };
  Result<size_t> child_for(const std::optional<Identity>& identity);
  void end(size_t index);

  std::vector<Child> children_;
};

}  // namespace postern
