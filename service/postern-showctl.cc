// postern-showctl - print the configuration in force and what is wrong with it; or ask whether all services
// answer.
//
//   usage      postern-showctl [--ready | --signatures]
//   fd 1 out   a line a control file: NAME: VALUE, "(default)" where there is no file; the virus signatures,
//   in
//              use and on disk; then "problem: ..." lines
//   env        POSTERN_HOME
//   exit       0 nothing is wrong (--ready: every service has its socket open), 1 something is, 100 usage,
//   111
//              could not look

#include <cerrno>

#include "lib/call.h"
#include "lib/control.h"
#include "lib/fd.h"
#include "lib/log.h"
#include "lib/program.h"
#include "service/check_control.h"
#include "service/check_signatures.h"
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

void add(const SignatureReport& signatures, std::string& text, std::string& problems) {
  for (const std::string& line : signatures.lines) text += line + "\n";
  for (const std::string& problem : signatures.problems) problems += "problem: " + problem + "\n";
}

int print_control() {
  Result<std::vector<ControlReport>> reports = check_control();
  if (!reports) {
    log_critical("look at the configuration", reports.failure().text);
    return 111;
  }
  std::string text = "home: " + home_directory() + "\n";
  std::string problems;
  bool directory_is_wrong = false;
  for (const ControlReport& report : *reports) {
    text += report.name + ": " + report.value + (report.is_default ? " (default)" : "") + "\n";
    for (const std::string& problem : report.problems) problems += "problem: " + problem + "\n";
    directory_is_wrong = directory_is_wrong || (report.name == "clamdb" && !report.problems.empty());
  }
  // What is wrong with a setting that the signatures need has been said by now.
  if (Result<SignatureReport> signatures = check_signatures(); signatures) {
    if (directory_is_wrong) signatures->problems.clear();
    add(*signatures, text, problems);
  }
  if (Result<void> wrote = write_all(1, text + problems, "write"); !wrote) return 111;
  return problems.empty() ? 0 : 1;
}

int print_signatures() {
  Result<SignatureReport> signatures = check_signatures();
  if (!signatures) {
    log_critical("look at the signatures", signatures.failure().text);
    return 111;
  }
  std::string text;
  std::string problems;
  add(*signatures, text, problems);
  if (Result<void> wrote = write_all(1, text + problems, "write"); !wrote) return 111;
  return problems.empty() ? 0 : 1;
}

int run(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--ready") return print_ready();
  if (argc == 2 && std::string_view(argv[1]) == "--signatures") return print_signatures();
  if (argc == 1) return print_control();
  log_critical("start", "usage: postern-showctl [--ready | --signatures]");
  return 100;
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("postern-showctl", {}, run, argc, argv);
}
