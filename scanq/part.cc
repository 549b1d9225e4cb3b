#include "scanq/part.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>

namespace postern {

Result<Fd> twin(const Fd& file) {
  Fd second{::fcntl(file.get(), F_DUPFD_CLOEXEC, 3)};
  if (!second) return os_failure("take a second handle of the message", errno);
  return second;
}

Result<Part> copy_of(const Part& part, uint64_t mid) {
  Result<Fd> message = twin(part.message);
  if (!message) return message.failure();
  Part copy{.mid = mid,
            .message = std::move(*message),
            .envelope = part.envelope,
            .environment = part.environment,
            .direction = part.direction,
            .decision = part.decision,
            .stopped = part.stopped,
            .next_stage = part.next_stage,
            .stages_run = part.stages_run};
  copy.environment.set("POSTERN_MID", std::to_string(mid));
  copy.environment.set("POSTERN_PARENT_MID", std::to_string(part.mid));
  return copy;
}

void mark(std::vector<Hold>& holds, std::string_view quarantine, std::string_view reason) {
  const auto found = std::find_if(holds.begin(), holds.end(),
                                  [&](const Hold& hold) { return hold.quarantine == quarantine; });
  if (found != holds.end()) {
    found->reason = reason;
  } else {
    holds.push_back({std::string(quarantine), std::string(reason)});
  }
}

}  // namespace postern
