// postern-local - deliver one message to a mailbox of this host, as its user.
//
//   postern-local USER HOME LOCAL DASH EXT DOMAIN SENDER DEFAULTDELIVERY
//
//   fd 0 in    the message: a file (read from its beginning) or a pipe
//   fd 1 out   one line: "maildir: PATH" of the file delivered, or an enhanced status and why not
//   exit       0 delivered and durable, 99 delivered and stop here, 100 never, 111 try again
//   user       the mailbox's; never root
//
// postern-local --worker is the same job again and again, for postern-lspawn: descriptor 0 is a socket, each
// request on it has the arguments above and the message as its descriptor 0, each reply the exit code and the
// line.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/fd.h"
#include "lib/program.h"
#include "lib/request.h"
#include "local/mailbox.h"

namespace postern {
namespace {

constexpr unsigned kDeathSeconds = 24 * 60 * 60;  // as qmail-local: below the age that tmp/ is cleaned at
constexpr size_t kMessageLimitBytes = size_t{2} * 1024 * 1024 * 1024;

MailboxOutcome deliver_one(const std::vector<std::string>& arguments, int input) {
  if (::getuid() == 0 || ::geteuid() == 0) {
    return mailbox_outcome_of(temporary(
        "deliver as root; start it as the mailbox's user: setuidgid USER postern-local", 0, "4.3.5"));
  }
  Result<MailboxDelivery> delivery = mailbox_delivery_of(arguments);
  if (!delivery) return mailbox_outcome_of(delivery.failure());
  Result<Fd> message = own_copy(input, kMessageLimitBytes, "read the message");
  if (!message) return mailbox_outcome_of(message.failure());
  return deliver_to_mailbox(*delivery, message->get());
}

// Until the other end closes. A request that is broken ends us: it is answered by that end of file.
int work() {
  // Nothing that a delivery may start shall inherit the socket.
  const Fd requests{::fcntl(0, F_DUPFD_CLOEXEC, 3)};
  if (!requests || ::close(0) < 0 || ::open("/dev/null", O_RDONLY) != 0) return kTryAgain;
  for (;;) {
    ::alarm(0);
    Result<Incoming> incoming = receive_request(requests.get());
    if (!incoming) return kTryAgain;
    if (incoming->came == Came::end_of_file) return 0;
    ReceivedRequest& request = incoming->request;
    if (request.fds.size() != 1 || request.fds.front().first != 0) return kTryAgain;
    ::alarm(kDeathSeconds);
    const MailboxOutcome outcome = deliver_one(request.arguments, request.fds.front().second.get());
    request.fds.clear();  // between two messages we hold neither
    if (!send_reply(requests.get(), {outcome.exit_code, outcome.line})) return kTryAgain;
  }
}

int run(int argc, char** argv) {
  ::umask(077);
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() == 1 && arguments.front() == "--worker") return work();
  ::alarm(kDeathSeconds);
  const MailboxOutcome outcome = deliver_one(arguments, 0);
  // Nobody may be reading any more; what was delivered stays delivered.
  (void)write_all(1, outcome.line + "\n", "say what happened");
  return outcome.exit_code;
}

}  // namespace
}  // namespace postern

int main(int argc, char** argv) {
  return postern::run_program("postern-local", {}, postern::run, argc, argv);
}
