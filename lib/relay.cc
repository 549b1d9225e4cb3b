#include "lib/relay.h"

#include <fcntl.h>
#include <unistd.h>

#include "lib/call.h"
#include "lib/fd.h"

namespace postern {

Result<Reply> relay_job(const Job& job, std::string_view program, size_t limit_bytes,
                        int64_t deadline_milliseconds) {
  Request request{.arguments = job.arguments, .environment = joint_variables(job.environment), .fds = {}};
  std::vector<Fd> copies;
  for (const auto& [number, fd] : job.fds) {
    if ((::fcntl(fd.get(), F_GETFL) & O_ACCMODE) != O_RDONLY) {
      request.fds.push_back({fd.get(), number});
      continue;
    }
    Result<Fd> copy = own_copy(fd.get(), limit_bytes, "copy descriptor " + std::to_string(number));
    if (!copy) {
      const Failure& failure = copy.failure();
      return failure.permanent() ? failure : temporary(failure.text, 54);
    }
    ::lseek(copy->get(), 0, SEEK_SET);  // a path form reads on from the offset
    request.fds.push_back({copy->get(), number});
    copies.push_back(std::move(*copy));
  }
  return call_program(program, request, deadline_milliseconds);
}

}  // namespace postern
