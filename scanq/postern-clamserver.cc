// postern-clamserver - answer clamd's clients with what postern-antivirus finds.
//
//   usage      postern-clamserver [--serve] [PROGRAM]
//   fd 0,1     without --serve: one connection, as a UCSPI server gives it
//   socket     with --serve: descriptor 3, a listening stream socket (postern-bind --stream clamd, or tcp:…)
//   PROGRAM    who scans; default @antivirus
//   control    clamdmaxstream, concurrencyclamd
//   user       posternc: it reads the files that SCAN names with that user's rights
//   exit       0, 100 wrong arguments, 111 it could not start
//
// The scanner opens no files and has no network; this opens both and parses nothing of what it hands on.

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <string>

#include "lib/call.h"
#include "lib/child.h"
#include "lib/control.h"
#include "lib/fd.h"
#include "lib/log.h"
#include "lib/program.h"
#include "lib/serve.h"
#include "lib/signals.h"
#include "lib/text.h"
#include "scanq/clamd_session.h"

namespace postern {

namespace {

constexpr int64_t kScanMilliseconds = 290 * 1000;
constexpr int64_t kAskMilliseconds = 10 * 1000;
constexpr uint64_t kConnections = 10;
constexpr uint64_t kMostConnections = 1000;
constexpr const char* kUsage = "usage: postern-clamserver [--serve] [PROGRAM]";

struct Settings {
  std::string scanner = "@antivirus";
  ClamdLimits limits;
  size_t connections = kConnections;
};

Result<Settings> read_settings(std::string_view scanner) {
  Settings settings;
  if (!scanner.empty()) settings.scanner = scanner;
  Result<uint64_t> stream = control_number_or("clamdmaxstream", settings.limits.stream_bytes);
  if (!stream) return stream.failure();
  Result<uint64_t> connections = control_number_or("concurrencyclamd", kConnections);
  if (!connections) return connections.failure();
  settings.limits.stream_bytes = *stream;
  settings.connections = std::clamp<uint64_t>(*connections, 1, kMostConnections);
  return settings;
}

Result<std::string> ask(const Settings& settings, const char* argument) {
  const Request request{.arguments = {argument}, .environment = {}, .fds = {}};
  Result<Reply> reply = call_program(settings.scanner, request, now_milliseconds() + kAskMilliseconds);
  if (!reply) return reply.failure();
  if (reply->exit_code != 0) return temporary("the scanner answers " + std::to_string(reply->exit_code));
  return std::string(trim(reply->output));
}

// KIND NAME in clamd's words. What is encrypted is OK to clamd, unless told otherwise; what was not scanned
// to the end is not.
std::string in_words_of_clamd(std::string_view line) {
  line = trim(line);
  const size_t space = line.find(' ');
  const std::string_view kind = line.substr(0, space);
  const std::string name(space == std::string_view::npos ? "" : line.substr(space + 1));
  if (kind == "clean" || kind == "encrypted") return "OK";
  if (kind == "infected") return name + " FOUND";
  if (kind == "limit") return "Heuristics.Limits.Exceeded FOUND";
  return (kind == "unscannable" ? "cannot be scanned: " : "") + name + ". ERROR";
}

// The scanner gets a copy: a client's file may change, or its file system never answer.
std::string scan(const Settings& settings, int fd) {
  Result<Fd> copy = own_copy(fd, settings.limits.stream_bytes, "read the file");
  if (!copy) {
    if (copy.failure().permanent()) return "Heuristics.Limits.Exceeded.MaxFileSize FOUND";
    return printable(copy.failure().text, 200) + ". ERROR";
  }
  const Request request{.arguments = {"file"}, .environment = {}, .fds = {{copy->get(), 0}}};
  Result<Reply> reply = call_program(settings.scanner, request, now_milliseconds() + kScanMilliseconds);
  if (!reply) return printable(reply.failure().text, 200) + ". ERROR";
  if (reply->exit_code != 0 || reply->output.empty()) return "the scanner failed. ERROR";
  return in_words_of_clamd(reply->output);
}

std::string stats(const Settings& settings) {
  const Result<std::string> state = ask(settings, "version");
  return std::string("POOLS: 1\n\nSTATE: ") + (state ? "VALID" : "INVALID") +
         " PRIMARY\nTHREADS: live 1  idle 0 max " + std::to_string(settings.connections) + " idle-timeout " +
         std::to_string(settings.limits.idle_seconds) + "\nQUEUE: 0 items\n\n" +
         (state ? *state : printable(state.failure().text, 200)) + "\n";
}

void converse(int connection, const Settings& settings) {
  const ClamdAnswers answers{
      .scan = [&](int fd) { return scan(settings, fd); },
      .version =
          [&] {
            Result<std::string> banner = ask(settings, "banner");
            return banner ? *banner : printable(banner.failure().text, 200) + ". ERROR";
          },
      .reload = [&] { return ask(settings, "reload").ok(); },
      .stats = [&] { return stats(settings); },
  };
  const timeval timeout{settings.limits.idle_seconds, 0};
  ::setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
  converse_clamd(connection, settings.limits, answers);
}

// In the child, which ends with its connection.
[[noreturn]] void begin_session(int connection, const Settings& settings) {
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int number : {SIGTERM, SIGINT, SIGCHLD, SIGALRM}) ::signal(number, SIG_DFL);
  ::close(kServiceFd);
  converse(connection, settings);
  ::_exit(0);
}

int serve_connections(const Settings& settings) {
  const sigset_t while_waiting = catch_signals({SIGTERM, SIGINT, SIGCHLD});
  ::fcntl(kServiceFd, F_SETFL, O_NONBLOCK);
  for (size_t children = 0; asked.stop == 0;) {
    pollfd wait{kServiceFd, POLLIN, 0};
    // Those that come while all places are taken wait in the backlog.
    const nfds_t watched = children < settings.connections ? 1 : 0;
    const int ready = ::ppoll(&wait, watched, nullptr, &while_waiting);
    while (children > 0 && ::waitpid(-1, nullptr, WNOHANG) > 0) --children;
    if (ready <= 0 || watched == 0) continue;
    const Fd connection{::accept4(kServiceFd, nullptr, nullptr, SOCK_CLOEXEC)};
    if (!connection) continue;
    const pid_t pid = ::fork();
    if (pid == 0) begin_session(connection.get(), settings);
    if (pid > 0) ++children;
    if (pid < 0) log_warning("answer a client", os_failure("fork", errno));
  }
  return 0;
}

int run(int argc, char** argv) {
  const bool resident = argc > 1 && std::string_view(argv[1]) == "--serve";
  const int rest = resident ? 2 : 1;
  if (argc > rest + 1 || (argc > rest && argv[rest][0] == '-')) {
    log_critical("start", kUsage);
    return 100;
  }
  Result<Settings> settings = read_settings(argc > rest ? argv[rest] : "");
  if (!settings) {
    log_critical("start", settings.failure().text);
    return 111;
  }
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (resident) return serve_connections(*settings);
  converse(0, *settings);
  return 0;
}

}  // namespace

}  // namespace postern

int main(int argc, char** argv) {
  return postern::run_program("postern-clamserver", {.no_memory = 111, .bug = 111}, postern::run, argc, argv);
}
