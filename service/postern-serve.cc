// postern-serve - give a path-form program, a script too, the place of a resident.
//
//   usage      postern-serve [--user USER] [--workers N] [--clients UID,...] [--trust UID,...] run/NAME
//   PROGRAM [ARGUMENT]... socket     $POSTERN_HOME/run/NAME; each request starts PROGRAM with the request's
//   descriptors, arguments (behind its
//              own) and environment; what it prints on descriptor 1 and its exit code are the reply
//   env        POSTERN_HOME
//   user       bound as the caller, then USER when the caller is root
//   exit       100 usage, 111 when it cannot start; 0 after SIGTERM

#include <unistd.h>

#include "lib/bind.h"
#include "lib/call.h"
#include "lib/log.h"
#include "lib/owner.h"
#include "lib/program.h"
#include "lib/serve.h"
#include "lib/text.h"

namespace {

using namespace postern;

constexpr int64_t kDeadlineMilliseconds =
    290000;  // below ServeOptions::deadline_seconds, so that the end is said
constexpr int kTemporary = 111;

int usage() {
  log_critical("start",
               "usage: postern-serve [--user USER] [--workers N] [--clients UID,...] [--trust UID,...] "
               "run/NAME PROGRAM...");
  return 100;
}

// Starts the program for one request, exactly as a path form would be started.
int start_for(const std::string& program, Job& job, std::string& output) {
  Request request{.arguments = job.arguments, .environment = job.environment, .fds = {}};
  for (const auto& [target, fd] : job.fds) {
    // A path form reads from the offset of its descriptor, which the client shares: begin at the beginning.
    ::lseek(fd.get(), 0, SEEK_SET);
    request.fds.push_back({fd.get(), target});
  }
  Result<Reply> reply = call_program(program, request, now_milliseconds() + kDeadlineMilliseconds);
  if (!reply) {
    log_warning("run " + program, reply.failure());
    return reply.failure().exit_code != 0 ? reply.failure().exit_code : kTemporary;
  }
  output = std::move(reply->output);
  return reply->exit_code;
}

int run(int argc, char** argv) {
  std::string user;
  if (argc > 2 && std::string_view(argv[1]) == "--user") {
    user = argv[2];
    argc -= 2;
    argv += 2;
  }
  Result<FormArguments> arguments = parse_form_arguments(argc, argv, {});
  if (!arguments || arguments->rest.size() < 2 || !arguments->rest[0].starts_with("run/")) return usage();
  Result<Fd> socket = bind_service(arguments->rest[0].substr(4), user.empty() ? "root" : user);
  if (!socket) {
    log_critical("bind a socket", socket.failure().text);
    return 111;
  }
  if (!user.empty()) {
    Result<Identity> identity = look_up_user(user);
    Result<void> became = identity ? become(*identity) : Result<void>(identity.failure());
    if (!became) {
      log_critical("become the user", became.failure().text);
      return 111;
    }
  }
  std::string program = arguments->rest[1];
  for (size_t i = 2; i < arguments->rest.size(); ++i) program += " " + arguments->rest[i];
  return serve(socket->get(), arguments->options,
               [&](Job& job, std::string& output) { return start_for(program, job, output); }, {});
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("postern-serve", {}, run, argc, argv);
}
