// postern-local - deliver one message to a mailbox of this host, as its user.
//
//   postern-local [-nN] USER HOME LOCAL DASH EXT DOMAIN SENDER DEFAULTDELIVERY
//
//   fd 0 in    the message: a file (read from its beginning) or a pipe
//   fd 1 out   one line: what was done ("maildir: PATH"), or an enhanced status and why not; with -n what
//   would be env        passed on to program lines; QMAILQUEUE takes what is forwarded (default @pickup);
//              POSTERN_PROGRAM_SECONDS and POSTERN_PROGRAM_MIB bound
//              program lines; POSTERN_MID
//   fd 5 in    extras (RFC 3461), only with POSTERN_EXTRAS=5
//   exit       0 delivered and durable, 100 never, 111 try again
//   user       the mailbox's; never root
//
// postern-local --worker is the same job again and again, for postern-lspawn: descriptor 0 is a socket, each
// request on it has the arguments above, POSTERN_MID and the message as its descriptor 0 (and the extras as
// 5); each reply is the exit code, the letter of the report and the line.

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/envelope.h"
#include "lib/environment.h"
#include "lib/fd.h"
#include "lib/program.h"
#include "lib/request.h"
#include "lib/text.h"
#include "local/mailbox.h"

namespace postern {
namespace {

constexpr unsigned kDeathSeconds = 24 * 60 * 60;  // as qmail-local: below the age that tmp/ is cleaned at
constexpr size_t kMessageLimitBytes = size_t{2} * 1024 * 1024 * 1024;

struct Input {
  std::vector<std::string> arguments;
  Environment environment;
  int message = 0;
  int extras = -1;
};

unsigned program_seconds() {
  const char* value = ::getenv("POSTERN_PROGRAM_SECONDS");
  const std::optional<uint64_t> number = value == nullptr ? std::nullopt : parse_number(value);
  return number && *number > 0 && *number <= kProgramSecondsLimit ? static_cast<unsigned>(*number)
                                                                  : kProgramSeconds;
}

// control/programmemory; the highest number is no limit but the system's.
uint64_t program_memory_bytes() {
  const char* value = ::getenv("POSTERN_PROGRAM_MIB");
  const std::optional<uint64_t> mib = value == nullptr ? std::nullopt : parse_number(value);
  return mib && *mib > 0 && *mib <= UINT64_MAX >> 20 ? *mib << 20 : UINT64_MAX;
}

Result<MailboxDelivery> delivery_of(const Input& input) {
  if (::getuid() == 0 || ::geteuid() == 0) {
    return temporary("deliver as root; start it as the mailbox's user: setuidgid USER postern-local", 0,
                     "4.3.5");
  }
  Result<MailboxDelivery> delivery = mailbox_delivery_of(input.arguments);
  if (!delivery) return delivery;
  delivery->mid = input.environment.get_or("POSTERN_MID", "");
  delivery->keep_unsigned = input.environment.get("POSTERN_SIGN") == "no";
  delivery->program_seconds = program_seconds();
  delivery->program_memory_bytes = program_memory_bytes();
  if (input.environment.get("POSTERN_EXTRAS") == "5" && input.extras >= 0) {
    Result<std::string> extras = read_whole(input.extras, kEnvelopeLimitBytes, "read the extras");
    if (!extras) return temporary(extras.failure().text);
    delivery->has_extras = !extras->empty();
    delivery->extras = std::move(*extras);
  }
  return delivery;
}

MailboxOutcome deliver_one(const Input& input) {
  Result<MailboxDelivery> delivery = delivery_of(input);
  if (!delivery) return mailbox_outcome_of(delivery.failure());
  Result<Fd> message = own_copy(input.message, kMessageLimitBytes, "read the message");
  if (!message) return mailbox_outcome_of(message.failure());
  return deliver_to_mailbox(*delivery, message->get());
}

int descriptor(const ReceivedRequest& request, int number) {
  for (const auto& [target, fd] : request.fds) {
    if (target == number) return fd.get();
  }
  return -1;
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
    const Input input{request.arguments, request.environment, descriptor(request, 0), descriptor(request, 5)};
    if (input.message < 0) return kTryAgain;
    ::alarm(kDeathSeconds);
    const MailboxOutcome outcome = deliver_one(input);
    request.fds.clear();  // between two messages we hold neither
    if (!send_reply(requests.get(), {outcome.exit_code, outcome.letter + outcome.line})) return kTryAgain;
  }
}

// Nobody may be reading any more; what was delivered stays delivered.
int say(std::string_view text, int exit_code) {
  (void)write_all(1, text, "say what happened");
  return exit_code;
}

int describe(const Input& input) {
  Result<MailboxDelivery> delivery = delivery_of(input);
  Result<std::string> text = delivery ? describe_delivery(*delivery) : delivery.failure();
  if (text) return say(*text, 0);
  const MailboxOutcome outcome = mailbox_outcome_of(text.failure());
  return say(outcome.line + "\n", outcome.exit_code);
}

int run(int argc, char** argv) {
  ::umask(077);
  std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() == 1 && arguments.front() == "--worker") return work();
  ::alarm(kDeathSeconds);
  bool only_describe = false;
  // Nine arguments: a user of that name would be the first of eight.
  if (arguments.size() == 9 && (arguments.front() == "-n" || arguments.front() == "-N")) {
    only_describe = arguments.front() == "-n";
    arguments.erase(arguments.begin());
  }
  const Input input{std::move(arguments), Environment::of_process(), 0, 5};
  if (only_describe) return describe(input);
  const MailboxOutcome outcome = deliver_one(input);
  return say(outcome.line + "\n", outcome.exit_code);
}

}  // namespace
}  // namespace postern

int main(int argc, char** argv) {
  return postern::run_program("postern-local", {}, postern::run, argc, argv);
}
