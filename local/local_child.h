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
#include "local/outcome.h"

namespace postern {

struct LocalJob {
  std::vector<std::string> arguments;  // of postern-local
  std::string mid;
  bool keep_unsigned = false;  // POSTERN_SIGN=no: what is forwarded of it must not be signed as ours
  int message = -1;
  int extras = -1;  // RFC 3461's, -1: none
};

class LocalChildren {
 public:
  LocalChildren() = default;
  LocalChildren(const LocalChildren&) = delete;
  LocalChildren& operator=(const LocalChildren&) = delete;
  ~LocalChildren() { end_all(); }

  // What children that are started from now on find.
  void set_environment(Environment environment) { environment_ = std::move(environment); }

  // Has a postern-local (beside our own executable) that runs as `identity` (nothing: as we are) deliver the
  // message, and waits for it up to the deadline. The line is bounded and printable whatever the child said,
  // the letter fits the exit code, and whatever is neither 0 nor 100 has become 111.
  MailboxOutcome deliver(const std::optional<Identity>& identity, const LocalJob& job,
                         int64_t deadline_milliseconds);

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
  Environment environment_;
};

}  // namespace postern
