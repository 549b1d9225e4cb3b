// The verbs of operators: each reads its arguments, does its work on all messages that they name, and says
// how it ended: 0 done, 100 never, 111 try again.
#pragma once

#include <string>
#include <string_view>

#include "lib/serve.h"
#include "quarantine/quarantine_release.h"
#include "quarantine/quarantine_store.h"

namespace postern::quarantine {

// Where list and show write: descriptor 1 or the one passed as 4; without it into the reply.
class Answer {
 public:
  Answer(int fd, std::string& reply) : fd_(fd), reply_(reply) {}
  Result<void> write(std::string_view bytes);
  Result<void> copy(int from, size_t length);

 private:
  int fd_;
  std::string& reply_;
};

// Logs what is wrong and how to use it; 100.
int wrong_usage(std::string_view what);

// `job.arguments` begin with the verb. `who` is for the audit.
int carry_out(QuarantineStore& store, Job& job, Answer& answer, const std::string& who);

}  // namespace postern::quarantine
