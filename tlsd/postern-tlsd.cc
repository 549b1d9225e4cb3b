// postern-tlsd - do the TLS of smtpd's clients; the private keys are here alone.
//
//   usage      postern-tlsd --serve [--workers N] [--clients UID,...]
//              postern-tlsd --check   reads the certificates, says what is wrong with them
//   fd 3 in    the listening socket run/tlsd. A request is "serve SECONDS" (that a client may be silent),
//              with the client's socket as descriptor 0 and one end of a socket pair as 1; the answer says
//              how the handshake ended, and from then on what comes to one of the two goes out of the other
//   env        POSTERN_HOME
//   files      secrets/posternk/NAME.pem, control/{me,tlsdminimum,tlsdtimeout,tlsdtickets,tlsdclientca,
//              concurrencytls}
//   user       posternk
//   exit       0 after SIGTERM (connections go on to their end); --check: 0 nothing is wrong, 1 something is;
//              100 wrong arguments, 111 it cannot start

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "lib/child.h"
#include "lib/control.h"
#include "lib/log.h"
#include "lib/pool.h"
#include "lib/program.h"
#include "lib/serve.h"
#include "tlsd/certificates.h"
#include "tlsd/worker.h"

namespace postern::tlsd {
namespace {

class Service {
 public:
  explicit Service(TicketKeys& tickets) : tickets_(tickets) {}
  bool start();
  bool reload();
  [[nodiscard]] int64_t tick();
  [[noreturn]] void work(pid_t parent, const ServeOptions& options) const;
  [[nodiscard]] const TlsdSettings& settings() const { return settings_; }

 private:
  bool read(bool all_or_nothing);
  void show_whether_we_can() const;

  TicketKeys& tickets_;
  TlsdSettings settings_;
  std::unique_ptr<Certificates> certificates_;
  int64_t next_roll_ = 0;
};

bool Service::start() {
  if (!read(false)) return false;
  next_roll_ = now_milliseconds() + static_cast<int64_t>(settings_.ticket_seconds) * 1000;
  if (certificates_->empty())
    log_info("no certificate in " + settings_.directory + ": STARTTLS is not offered");
  return true;
}

// A file that cannot be used changes nothing while we run.
bool Service::reload() {
  if (!read(true)) return false;
  (void)tickets_.roll();
  log_info("read the certificates anew: " + std::to_string(certificates_->count()) + " names");
  return true;
}

bool Service::read(bool all_or_nothing) {
  Result<TlsdSettings> settings = read_tlsd_settings();
  if (!settings) {
    log_critical("read the settings", settings.failure().text);
    return false;
  }
  std::vector<std::string> problems;
  Result<std::unique_ptr<Certificates>> certificates = Certificates::read(*settings, tickets_, problems);
  if (!certificates) {
    log_critical("read the certificates", certificates.failure().text);
    return false;
  }
  for (const std::string& problem : problems) log_critical("use a certificate", problem);
  if (!problems.empty() && all_or_nothing) {
    log_warning("reload", "what was read before stays");
    return false;
  }
  settings_ = std::move(*settings);
  certificates_ = std::move(*certificates);
  show_whether_we_can();
  return true;
}

// smtpd offers STARTTLS where the group may write to the socket: it may not look into secrets/.
void Service::show_whether_we_can() const {
  const std::string path = home_path("run/tlsd");
  if (::chmod(path.c_str(), certificates_->empty() ? 0600 : 0660) < 0)
    log_warning("say whether there is a certificate", os_failure("change the mode of " + path, errno));
}

int64_t Service::tick() {
  if (settings_.ticket_seconds == 0) return -1;
  const int64_t now = now_milliseconds();
  if (now >= next_roll_) {
    if (!tickets_.roll()) log_warning("roll the ticket keys", "there is no randomness; the old one stays");
    next_roll_ = now + static_cast<int64_t>(settings_.ticket_seconds) * 1000;
  }
  return next_roll_ - now;
}

void Service::work(pid_t parent, const ServeOptions& options) const {
  // When the parent ends, however it does, we finish what we hold.
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  ::signal(SIGHUP, SIG_IGN);
  ::signal(SIGINT, SIG_IGN);
  ::signal(SIGCHLD, SIG_DFL);
  if (::getppid() != parent) ::_exit(0);
  // Whoever takes a worker over by a fault of the TLS library makes no process.
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  const rlimit none{.rlim_cur = 0, .rlim_max = 0};
  if (::getuid() != 0) ::setrlimit(RLIMIT_NPROC, &none);
  serve_connections(kServiceFd, *certificates_, static_cast<int64_t>(settings_.handshake_seconds) * 1000,
                    options);
  ::_exit(0);
}

int check() {
  Result<TlsdSettings> settings = read_tlsd_settings();
  TicketKeys* tickets = TicketKeys::make();
  if (!settings || tickets == nullptr) {
    log_critical("read the settings", settings ? "no memory" : settings.failure().text);
    return 111;
  }
  std::vector<std::string> problems;
  Result<std::unique_ptr<Certificates>> certificates = Certificates::read(*settings, *tickets, problems);
  if (!certificates) problems.push_back(certificates.failure().text);
  std::string text;
  for (const std::string& problem : problems) text += "problem: " + problem + "\n";
  if (certificates)
    text += std::to_string((*certificates)->count()) + " names have a certificate" +
            ((*certificates)->empty() ? ": STARTTLS is not offered" : "") + "\n";
  if (!write_all(1, text, "write")) return 111;
  return problems.empty() ? 0 : 1;
}

int serve_until_stopped(const ServeOptions& options, bool counted) {
  const int flags = ::fcntl(kServiceFd, F_GETFL);
  if (flags < 0 || ::fcntl(kServiceFd, F_SETFL, flags | O_NONBLOCK) < 0) {
    log_critical("start", "descriptor 3 is no listening socket; start it behind postern-bind");
    return 111;
  }
  ::fcntl(kServiceFd, F_SETFD, FD_CLOEXEC);
  ::prctl(PR_SET_DUMPABLE, 0);  // neither a core file nor a debugger of the same user gets the keys
  TicketKeys* tickets = TicketKeys::make();
  if (tickets == nullptr) {
    log_critical("start", "no memory or no randomness for the ticket keys");
    return 111;
  }
  Service service(*tickets);
  if (!service.start()) return 111;
  return run_pool({.workers = counted ? options.workers : static_cast<unsigned>(service.settings().workers),
                   .work = [&](pid_t parent) { service.work(parent, options); },
                   .reload = [&] { return service.reload(); },
                   .tick = [&] { return service.tick(); },
                   .leaves_workers = true});
}

int run(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--check") return check();
  ServeOptions defaults;
  defaults.workers = 0;
  Result<FormArguments> arguments = parse_form_arguments(argc, argv, defaults);
  if (!arguments || !arguments->serve || !arguments->rest.empty()) {
    log_critical("start", arguments
                              ? "usage: postern-tlsd --serve [--workers N] [--clients UID,...], or --check"
                              : arguments.failure().text);
    return 100;
  }
  return serve_until_stopped(arguments->options, arguments->options.workers != 0);
}

}  // namespace
}  // namespace postern::tlsd

int main(int argc, char** argv) {
  return postern::run_program("postern-tlsd", {.no_memory = 111, .bug = 111}, postern::tlsd::run, argc, argv);
}
