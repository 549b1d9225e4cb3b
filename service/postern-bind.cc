// postern-bind - give a resident program its socket, before privileges are dropped.
//
//   usage      postern-bind [--everybody] [--stream] NAME OWNER PROGRAM [ARGUMENT]...
//              postern-bind tcp:ADDRESS:PORT PROGRAM [ARGUMENT]...
//   fd 3 out   the listening SOCK_SEQPACKET socket $POSTERN_HOME/run/NAME (SOCK_STREAM with --stream), or the
//              TCP socket, for PROGRAM
//   env        POSTERN_HOME
//   user       root: the socket in run/ becomes OWNER's (USER or USER:GROUP), mode 0660, 0666 with
//              --everybody; anyone else: OWNER is not looked at
//   exit       111 when the socket could not be made or PROGRAM not executed

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "lib/bind.h"
#include "lib/log.h"
#include "lib/program.h"
#include "lib/serve.h"
#include "service/listen_tcp.h"

namespace {

using namespace postern;

constexpr std::string_view kTcp = "tcp:";
constexpr const char* kUsage =
    "usage: postern-bind [--everybody] [--stream] NAME OWNER PROGRAM [ARGUMENT]..., or tcp:ADDRESS:PORT "
    "PROGRAM "
    "[ARGUMENT]...";

Result<Fd> listen_on_tcp(std::string_view address_and_port) {
  Result<AddressPort> where = parse_address_port(address_and_port);
  if (!where) return where.failure();
  return listen_tcp(*where);
}

int run(int argc, char** argv) {
  const auto take = [&](std::string_view option) {
    if (argc < 2 || argv[1] != option) return false;
    --argc;
    ++argv;
    return true;
  };
  const OpenTo open_to = take("--everybody") ? OpenTo::everybody : OpenTo::group;
  const Carries carries = take("--stream") ? Carries::stream : Carries::packets;
  const std::string_view name = argc > 1 ? argv[1] : "";
  const bool tcp = name.starts_with(kTcp);
  const int program = tcp ? 2 : 3;
  if (argc <= program) {
    log_critical("start", kUsage);
    return 100;
  }
  Result<Fd> socket =
      tcp ? listen_on_tcp(name.substr(kTcp.size())) : bind_service(name, argv[2], open_to, carries);
  if (!socket) {
    log_critical("bind a socket", socket.failure().text);
    return 111;
  }
  // dup2 onto itself would leave close-on-exec set.
  const bool placed = socket->get() == kServiceFd ? ::fcntl(kServiceFd, F_SETFD, 0) == 0
                                                  : ::dup2(socket->get(), kServiceFd) == kServiceFd;
  if (!placed) {
    log_critical("pass the socket on", os_failure("descriptor 3", errno).text);
    return 111;
  }
  if (socket->get() == kServiceFd) (void)socket->release();
  ::execvp(argv[program], argv + program);
  log_critical("execute the program", os_failure(argv[program], errno).text);
  return 111;
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("postern-bind", {}, run, argc, argv);
}
