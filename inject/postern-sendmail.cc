// postern-sendmail - the command line of sendmail, for cron, PHP, mutt and all others that know no other way.
//
//   usage      sendmail [-t] [-i] [-f SENDER] [-F NAME] [option]... [RECIPIENT]...; sendmail -bs | -bp | -q
//   fd 0 in    the message; with -bs the client
//   env        as postern-inject(8); POSTERN_HOME
//   user       whoever calls it
//   exit       sysexits.h: 0 taken and durable, 75 try again, any other never; the reason on descriptor 2

#include <fcntl.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "inject/hand_in.h"
#include "inject/sendmail_options.h"
#include "lib/child.h"
#include "lib/control.h"
#include "lib/log.h"
#include "lib/program.h"

namespace {

using namespace postern;
using namespace postern::inject;

int fail(const SmtpReply& reply) {
  log_critical("hand the message in", reply.line());
  return sendmail_exit_code(reply);
}

int execute(std::string name, std::vector<std::string> arguments = {}) {
  const std::string path = own_directory() + "/" + name;
  std::vector<char*> words{name.data()};
  for (std::string& argument : arguments) words.push_back(argument.data());
  words.push_back(nullptr);
  ::execv(path.c_str(), words.data());
  const int error = errno;
  log_critical("execute " + path, os_failure("execute", error).text);
  return EX_UNAVAILABLE;
}

// The conversation of postern-smtpd with whoever is at descriptors 0 and 1, as a client that may relay. Its
// event log would reach the user's terminal; what matters is in the replies, and in the log of pickup.
int converse() {
  const Environment own = Environment::of_process();
  for (const auto& [name, value] : own.pairs()) {
    const bool ours = name.starts_with("POSTERN_") && name != "POSTERN_HOME";
    if (ours || name.starts_with("TCP")) ::unsetenv(name.c_str());
  }
  ::setenv("RELAYCLIENT", "", 1);
  ::setenv("TCPREMOTEIP", "127.0.0.1", 1);
  ::setenv("TCPREMOTEHOST", "localhost", 1);
  ::setenv("TCPLOCALIP", "127.0.0.1", 1);
  ::setenv("QMAILQUEUE", "@pickup", 0);
  const Fd nowhere{::open("/dev/null", O_WRONLY | O_CLOEXEC)};
  const std::string smtpd = own_directory() + "/postern-smtpd";
  if (::access(smtpd.c_str(), X_OK) < 0 || !nowhere) return execute("postern-smtpd");
  ::dup2(nowhere.get(), 2);
  return execute("postern-smtpd");
}

// The queue belongs to its user; nobody else may look into it, nor give orders.
int with_queue(const std::string& program, std::vector<std::string> arguments) {
  if (::access(home_path("queue/new").c_str(), R_OK | X_OK) < 0) {
    log_critical("look into the queue",
                 os_failure(home_path("queue"), errno).text + "; root and the queue's own user may");
    return EX_NOPERM;
  }
  return execute(program, std::move(arguments));
}

int run(int argc, char** argv) {
  const std::string_view path(argc > 0 ? argv[0] : "");
  const std::string_view name = path.substr(path.rfind('/') + 1);
  Result<SendmailCall> call = parse_sendmail(
      name, argc > 0 ? std::vector<std::string>(argv + 1, argv + argc) : std::vector<std::string>());
  if (!call) {
    log_critical("start", call.failure().text);
    return sendmail_exit_code({.code = "554", .status = call.failure().status, .text = {}});
  }
  switch (call->mode) {
    case Mode::smtp:
      return converse();
    case Mode::list_queue:
      return with_queue("postern-qread", {});
    case Mode::flush_queue:
      call->selectors.insert(call->selectors.begin(), "flush");
      return with_queue("postern-qctl", call->selectors);
    case Mode::new_aliases:
      return EX_OK;  // aliases are .qmail files and users/assign; nothing waits to be made
    case Mode::deliver:
      break;
  }
  const SmtpReply reply = hand_in(call->order, Environment::of_process(), Then::queue);
  return reply.accepted() ? EX_OK : fail(reply);
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("postern-sendmail", {.no_memory = EX_TEMPFAIL, .bug = EX_TEMPFAIL}, run, argc, argv);
}
