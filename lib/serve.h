// The server's side of the two forms: a program hands its job to run_forms() and works both as a path (one
// request, our own descriptors and environment) and as a resident (--serve: workers on the socket that stands
// at descriptor 3).
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/environment.h"
#include "lib/fd.h"
#include "lib/request.h"
#include "lib/result.h"

namespace postern {

struct Job {
  std::vector<std::string> arguments;
  Environment environment;              // of the request; of the process in the path form
  std::vector<std::pair<int, Fd>> fds;  // number, descriptor
  int connection = -1;                  // the client's socket; -1 in the path form

  // The descriptor of that number, or -1.
  [[nodiscard]] int fd(int number) const;
  // The client has closed its end: commit nothing for it any more.
  [[nodiscard]] bool client_gone() const;
};

// Does one job, appends to `output` what the path form prints on descriptor 1, returns the exit code.
using JobHandler = std::function<int(Job& job, std::string& output)>;

struct ServeOptions {
  unsigned workers = 4;
  std::string workers_file{};            // the control file that says how many instead, where it is there
  unsigned requests_per_worker = 10000;  // then a fresh worker; bounds what a leak may cost
  std::vector<uid_t> clients{};          // who is answered; empty: our own user
  std::vector<uid_t> releasers{};     // whose POSTERN_RELEASED and POSTERN_EXEMPT count; empty: all trusted
  std::vector<uid_t> repeaters{};     // whose POSTERN_WORK and POSTERN_SET count; empty: all trusted
  std::vector<uid_t> trusted{};       // whose POSTERN_* count; empty: those of `clients`
  unsigned deadline_seconds = 300;    // a worker that takes longer is killed by its alarm
  int64_t idle_milliseconds = 30000;  // for which a client may hold a worker without asking
  std::function<void()> begin{};      // in each worker, before its first connection; may be empty
  // For a worker that holds something between the requests of a connection (rspawn: an SMTP connection).
  // `between` is called before each wait for the next request and says after how many milliseconds it wants
  // to be called again if none has come, -1: never. `closed` is called when the client's connection has
  // ended. Both may be empty.
  std::function<int64_t()> between;
  std::function<void()> closed;
  // For one that holds something between its clients: called before each wait for a client, and says after
  // how many milliseconds it wants to be called again if none has come, -1: it holds nothing now. May be
  // empty.
  std::function<int64_t()> idle{};
};

// Is the user at the other end of `connection` one of `options.clients`? If not, that is logged.
bool client_allowed(int connection, const ServeOptions& options);

// What --serve said, taken off the arguments: --workers N, --clients UID,UID, --trust, --releasers,
// --repeaters. Without
// --workers the workers' control file counts, within 1 and kMostWorkers.
struct FormArguments {
  bool serve = false;
  ServeOptions options;
  std::vector<std::string> rest;
};
Result<FormArguments> parse_form_arguments(int argc, char** argv, const ServeOptions& defaults);

constexpr int kServiceFd = 3;  // where postern-bind leaves the listening socket

// Runs workers until SIGTERM; they are replaced when they end, with back-off after a crash. On SIGHUP
// `reload` is called (may be empty; when it returns false the old workers stay) and new workers are forked
// before the old ones end.
int serve(int listening, const ServeOptions& options, const JobHandler& handler,
          const std::function<bool()>& reload);

// The whole main part of a program with both forms. `path_fds` are the descriptors of the path form.
struct Forms {
  ServeOptions defaults;
  std::vector<int> path_fds;
  std::function<bool()>
      load;  // makes the dear thing before the first worker or the path form's job; may be empty
};
int run_forms(int argc, char** argv, const Forms& forms, const JobHandler& handler);

}  // namespace postern
