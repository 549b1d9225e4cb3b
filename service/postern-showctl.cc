// postern-showctl - print the configuration in force and what is wrong with it; or ask whether all services
// answer.
//
//   usage      postern-showctl [--ready]
//   fd 1 out   a line a control file: NAME: VALUE, "(default)" where there is no file; then "problem: ..."
//   lines env        POSTERN_HOME exit       0 nothing is wrong (--ready: every service has its socket open),
//   1 something is, 100 usage, 111 could not look

#include <cerrno>

#include "lib/call.h"
#include "lib/control.h"
#include "lib/fd.h"
#include "lib/log.h"
#include "lib/program.h"
#include "service/check_control.h"
#include "service/services.h"

namespace {

using namespace postern;

int print_ready() {
  std::string away;
  for (const Service& service : services()) {
    if (!service.has_socket()) continue;
    errno = 0;
    Result<Fd> socket = try_connect_service(service.name);
    // A listening stream says so to whoever comes with packets.
    const bool there = socket.ok() || (service.stream && errno == EPROTOTYPE);
    if (!there) away += socket.failure().text + "\n";
  }
  if (Result<void> wrote = write_all(1, away, "write"); !wrote) return 111;
  return away.empty() ? 0 : 1;
}

int print_control() {
  Result<std::vector<ControlReport>> reports = check_control();
  if (!reports) {
    log_critical("look at the configuration", reports.failure().text);
    return 111;
  }
  std::string text = "home: " + home_directory() + "\n";
  std::string problems;
  for (const ControlReport& report : *reports) {
    text += report.name + ": " + report.value + (report.is_default ? " (default)" : "") + "\n";
    for (const std::string& problem : report.problems) problems += "problem: " + problem + "\n";
  }
  if (Result<void> wrote = write_all(1, text + problems, "write"); !wrote) return 111;
  return problems.empty() ? 0 : 1;
}

int run(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--ready") return print_ready();
  if (argc == 1) return print_control();
  log_critical("start", "usage: postern-showctl [--ready]");
  return 100;
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("postern-showctl", {}, run, argc, argv);
}
