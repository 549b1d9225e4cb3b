// postern-ask - hand a request on to another program, in either form: the last line of a script that stands
// in the chain.
//
//   usage      postern-ask @NAME|PROGRAM [ARGUMENT]...
//   fds        0, 1, 3, 4, 5 and 6 are passed on where they are open; 1 only when it is open for reading (an
//   envelope),
//              else the answer is printed there
//   env        POSTERN_HOME; POSTERN_*, TCP* and RELAYCLIENT are passed on
//   exit       what the other program says; 111 it could not be asked (queue interface: 51..91), 100 usage

#include <fcntl.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/program.h"
#include "lib/relay.h"
#include "lib/submit.h"

namespace {

using namespace postern;

constexpr size_t kCopyLimitBytes = size_t{1} << 32;
constexpr int64_t kDeadlineMilliseconds = 235000;  // below what smtpd grants
constexpr unsigned kReadSeconds = 600;             // for all, the reading of pipes included

// What smtpd passes is a sealed memory file, which nobody can write although it is open for both.
bool is_envelope(int fd) {
  return (::fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDONLY || is_sealed(fd);
}

int run(int argc, char** argv) {
  if (argc < 2) {
    log_critical("start", "usage: postern-ask @NAME|PROGRAM [ARGUMENT]...");
    return 100;
  }
  ::alarm(kReadSeconds);
  Job job{.arguments = {argv + 2, argv + argc},
          .environment = Environment::of_process(),
          .fds = {},
          .connection = -1};
  for (const int number : {0, 1, 3, 4, 5, 6}) {
    if (::fcntl(number, F_GETFD) < 0 || (number == 1 && !is_envelope(number))) continue;
    job.fds.emplace_back(number, Fd(number));
  }
  const bool queue_interface = job.fd(1) >= 0;
  Result<Reply> reply = relay_job(job, argv[1], kCopyLimitBytes, now_milliseconds() + kDeadlineMilliseconds);
  if (!reply) {
    log_warning("ask " + std::string(argv[1]), reply.failure());
    return queue_interface ? queue_exit_code(reply.failure()) : 111;
  }
  if (!queue_interface && !write_all(1, reply->output, "write the answer")) return 111;
  return reply->exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("postern-ask", {.no_memory = 51, .bug = 81}, run, argc, argv);
}
