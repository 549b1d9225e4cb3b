#include "lib/serve.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "lib/child.h"
#include "lib/control.h"
#include "lib/log.h"
#include "lib/pool.h"
#include "lib/signals.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr int kFirstMilliseconds =
    1000;  // that a client has for its first request once the worker has to end

volatile sig_atomic_t worker_busy = 0;

void go_on(int) {}

// An idle worker leaves accept() with EINTR. It may have stood just before it, or have a client just behind
// it: nobody is dropped, and the alarm makes it look again.
void end_worker(int) {
  asked.stop = 1;
  if (worker_busy != 0) return;
  struct sigaction action {};  // not signal(2): accept would go on by itself
  action.sa_handler = go_on;
  ::sigaction(SIGALRM, &action, nullptr);
  ::alarm(1);
}

bool contains(const std::vector<uid_t>& list, uid_t uid) {
  return std::find(list.begin(), list.end(), uid) != list.end();
}

// Who is at the other end; -1 as uid when the kernel does not say.
ucred peer_of(int connection) {
  ucred peer{0, static_cast<uid_t>(-1), static_cast<gid_t>(-1)};
  socklen_t length = sizeof peer;
  if (::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0)
    peer.uid = static_cast<uid_t>(-1);
  return peer;
}

// Holds SIGTERM back while it lives, except in wait(): so it never falls between the test and the wait.
class HeldTerm {
 public:
  HeldTerm() {
    sigset_t held;
    ::sigemptyset(&held);
    ::sigaddset(&held, SIGTERM);
    ::sigprocmask(SIG_BLOCK, &held, &before_);
  }
  ~HeldTerm() { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }
  HeldTerm(const HeldTerm&) = delete;
  HeldTerm& operator=(const HeldTerm&) = delete;

  // Until the connection can be read; false when the worker has to end instead, or when a client that has
  // nothing to keep us for says nothing. Who has been accepted gets its first request answered in any case.
  bool wait(int connection, const ServeOptions& options, bool first) const {
    for (;;) {
      const int64_t left = options.between ? options.between() : options.idle_milliseconds;
      const timespec timeout{left / 1000, left % 1000 * 1000000};
      pollfd wait{connection, POLLIN, 0};
      if (asked.stop != 0) return first && ::poll(&wait, 1, kFirstMilliseconds) > 0;
      const int ready = ::ppoll(&wait, 1, left < 0 ? nullptr : &timeout, &before_);
      if (ready > 0) return true;
      if (ready == 0 && !options.between) return false;
      if (ready < 0 && errno != EINTR) return false;
    }
  }

 private:
  sigset_t before_{};
};

// Answers the requests of one connection; how many.
unsigned serve_requests(int connection, const ServeOptions& options, const JobHandler& handler) {
  const uid_t peer = peer_of(connection).uid;
  const HeldTerm term;
  for (unsigned count = 0;; ++count) {
    if (!term.wait(connection, options, count == 0)) return count;
    Result<Incoming> incoming = receive_request(connection);
    if (!incoming) {
      log_warning("answer a request", incoming.failure());
      return count;
    }
    if (incoming->came == Came::end_of_file) return count;
    Job job{.arguments = std::move(incoming->request.arguments),
            .environment = joint_variables(incoming->request.environment),
            .fds = std::move(incoming->request.fds),
            .connection = connection};
    if (!contains(options.trusted, peer)) job.environment.remove_trusted();
    if (!options.releasers.empty() && !contains(options.releasers, peer)) {
      for (const char* name : {"POSTERN_RELEASED", "POSTERN_EXEMPT"}) job.environment.unset(name);
    }
    if (!options.repeaters.empty() && !contains(options.repeaters, peer)) {
      for (const char* name : {"POSTERN_WORK", "POSTERN_SET"}) job.environment.unset(name);
    }
    ::alarm(options.deadline_seconds);
    Reply reply;
    reply.output.clear();
    reply.exit_code = handler(job, reply.output);
    const Result<void> sent = send_reply(connection, reply);
    ::alarm(0);
    if (!sent) return count;  // the client has gone
  }
}

unsigned serve_connection(int connection, const ServeOptions& options, const JobHandler& handler) {
  if (!client_allowed(connection, options)) return 0;
  const unsigned count = serve_requests(connection, options, handler);
  if (options.closed) options.closed();
  return count;
}

// False: look again whether to go on, and wait once more. A worker that wants to be called must not sleep in
// accept for a client that another one was faster to take.
bool client_waits(int listening, const ServeOptions& options) {
  if (!options.idle) return true;
  pollfd wait{listening, POLLIN, 0};
  const int64_t left = std::clamp<int64_t>(options.idle(), -1, 1 << 30);
  if (::poll(&wait, 1, static_cast<int>(left)) <= 0) return false;
  if (left >= 0) return true;
  // Who holds nothing lets those go first that do.
  const timespec moment{0, 1000000};
  ::nanosleep(&moment, nullptr);
  return ::poll(&wait, 1, 0) > 0;
}

[[noreturn]] void work(int listening, const ServeOptions& options, const JobHandler& handler, pid_t parent) {
  // When the parent is killed its workers finish what they hold and end too.
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  struct sigaction action {};
  action.sa_handler = end_worker;
  ::sigaction(SIGTERM, &action, nullptr);
  ::signal(SIGHUP, SIG_IGN);
  ::signal(SIGCHLD, SIG_DFL);
  ::signal(SIGALRM, SIG_DFL);
  if (::getppid() != parent) ::_exit(0);
  if (options.begin) options.begin();
  for (unsigned served = 0; asked.stop == 0 && served < options.requests_per_worker;) {
    worker_busy = 0;
    if (asked.stop != 0) break;  // it came while we were busy, behind the test above
    if (!client_waits(listening, options)) continue;
    const Fd connection{::accept4(listening, nullptr, nullptr, SOCK_CLOEXEC)};
    worker_busy = 1;
    if (asked.stop != 0) {
      ::alarm(0);
      ::signal(SIGALRM, SIG_DFL);
    }
    if (connection) {
      served += std::max(1U, serve_connection(connection.get(), options, handler));
    } else if (errno != EINTR && errno != ECONNABORTED && errno != EAGAIN) {
      log_warning("accept a connection", os_failure("accept", errno));
      ::_exit(111);
    }
  }
  ::_exit(0);
}

Result<std::vector<uid_t>> parse_uids(std::string_view text) {
  std::vector<uid_t> uids;
  for (const std::string_view part : split(text, ',')) {
    const std::optional<uint64_t> number = parse_number(part);
    if (!number)
      return permanent("read a list of users: \"" + printable(part, 40) + "\" is not a number", 100);
    uids.push_back(static_cast<uid_t>(*number));
  }
  return uids;
}

bool is_listening(int fd) {
  int listening = 0;
  socklen_t length = sizeof listening;
  return ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &length) == 0 && listening != 0;
}

int run_path_form(const Forms& forms, std::vector<std::string> arguments, const JobHandler& handler) {
  Job job{.arguments = std::move(arguments),
          .environment = Environment::of_process(),
          .fds = {},
          .connection = -1};
  for (const int number : forms.path_fds) {
    if (::fcntl(number, F_GETFD) >= 0) job.fds.emplace_back(number, Fd(number));
  }
  std::string output;
  const int exit_code = handler(job, output);
  if (!output.empty() && !write_all(1, output, "write the answer")) return 111;
  return exit_code;
}

}  // namespace

int Job::fd(int number) const {
  for (const auto& [target, fd] : fds) {
    if (target == number) return fd.get();
  }
  return -1;
}

bool Job::client_gone() const {
  if (connection < 0) return false;
  pollfd state{connection, POLLRDHUP, 0};
  return ::poll(&state, 1, 0) > 0 && (state.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

bool client_allowed(int connection, const ServeOptions& options) {
  const uid_t peer = peer_of(connection).uid;
  if (contains(options.clients, peer)) return true;
  if (peer == 0) return false;  // the operator asks whether we are there (postern-showctl)
  log_warning("answer a request", "user " + std::to_string(peer) + " is not in the list of clients");
  return false;
}

Result<FormArguments> parse_form_arguments(int argc, char** argv, const ServeOptions& defaults) {
  FormArguments parsed;
  parsed.options = defaults;
  const std::vector<std::string> all(argv + 1, argv + argc);
  size_t at = 0;
  bool counted = false;
  for (; at < all.size() && all[at].starts_with("--"); ++at) {
    const std::string& name = all[at];
    if (name == "--serve") {
      parsed.serve = true;
      continue;
    }
    if (name != "--workers" && name != "--clients" && name != "--trust" && name != "--releasers" &&
        name != "--repeaters")
      break;
    if (++at == all.size()) return permanent("read the arguments: " + name + " needs a value", 100);
    if (name == "--workers") {
      const std::optional<uint64_t> number = parse_number(all[at]);
      if (!number || *number == 0 || *number > kMostWorkers)
        return permanent("read the arguments: --workers takes 1 to 1000", 100);
      counted = true;
      parsed.options.workers = static_cast<unsigned>(*number);
      continue;
    }
    Result<std::vector<uid_t>> uids = parse_uids(all[at]);
    if (!uids) return uids.failure();
    (name == "--clients"     ? parsed.options.clients
     : name == "--trust"     ? parsed.options.trusted
     : name == "--repeaters" ? parsed.options.repeaters
                             : parsed.options.releasers) = *uids;
  }
  parsed.rest.assign(all.begin() + static_cast<std::ptrdiff_t>(at), all.end());
  if (parsed.serve && !counted && !defaults.workers_file.empty()) {
    Result<uint64_t> number = control_number_or(defaults.workers_file, defaults.workers);
    if (!number) return number.failure();
    parsed.options.workers = static_cast<unsigned>(std::clamp<uint64_t>(*number, 1, kMostWorkers));
  }
  if (parsed.options.clients.empty()) parsed.options.clients.push_back(::getuid());
  if (parsed.options.trusted.empty()) parsed.options.trusted = parsed.options.clients;
  return parsed;
}

int serve(int listening, const ServeOptions& options, const JobHandler& handler,
          const std::function<bool()>& reload) {
  ::fcntl(listening, F_SETFD, FD_CLOEXEC);
  if (options.idle) ::fcntl(listening, F_SETFL, ::fcntl(listening, F_GETFL) | O_NONBLOCK);
  return run_pool({.workers = options.workers,
                   .work = [&](pid_t parent) { work(listening, options, handler, parent); },
                   .reload = reload});
}

int run_forms(int argc, char** argv, const Forms& forms, const JobHandler& handler) {
  Result<FormArguments> arguments = parse_form_arguments(argc, argv, forms.defaults);
  if (!arguments) {
    log_critical("start", arguments.failure().text);
    return arguments.failure().permanent() ? 100 : 111;
  }
  if (arguments->serve && !is_listening(kServiceFd)) {
    log_critical("start", "descriptor 3 is no listening socket; start it behind postern-bind");
    return 111;
  }
  if (forms.load && !forms.load()) return 111;
  if (arguments->serve) return serve(kServiceFd, arguments->options, handler, forms.load);
  return run_path_form(forms, std::move(arguments->rest), handler);
}

}  // namespace postern
