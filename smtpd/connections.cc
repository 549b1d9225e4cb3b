#include "smtpd/connections.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <initializer_list>
#include <string>

#include "lib/control.h"
#include "lib/fd.h"
#include "lib/log.h"
#include "lib/signals.h"
#include "receipt/proxies.h"
#include "receipt/tcp_rules.h"
#include "smtpd/running_sessions.h"

namespace postern::smtpd {

namespace {

constexpr int kListeningFd = 3;  // where postern-bind leaves it
constexpr uint64_t kConnectionsPerLayout = 10000;
constexpr size_t kMostSessions = 1000000;
constexpr uint64_t kLongestSeconds = 86400;
constexpr int kTroubleMilliseconds = 100;  // before another try when fork or accept failed
constexpr std::string_view kTooManyOfYou = "421 4.7.0 too many connections from your address\r\n";
constexpr const char* kRunningVariable = "POSTERN_SMTPD_SESSIONS";  // from us to ourselves, over an exec

constexpr std::initializer_list<int> kCaught = {SIGTERM, SIGHUP, SIGCHLD};

struct Address {
  std::string ip;
  std::string port;
};

// An IPv4 address in an IPv6 one is written as what it is, like tcpserver does.
Address address_of(const sockaddr_storage& from) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (from.ss_family == AF_INET) {
    sockaddr_in address{};
    std::memcpy(&address, &from, sizeof address);
    ::inet_ntop(AF_INET, &address.sin_addr, text.data(), text.size());
    return {text.data(), std::to_string(ntohs(address.sin_port))};
  }
  sockaddr_in6 address{};
  std::memcpy(&address, &from, sizeof address);
  const bool mapped = IN6_IS_ADDR_V4MAPPED(&address.sin6_addr);
  ::inet_ntop(mapped ? AF_INET : AF_INET6, &address.sin6_addr.s6_addr[mapped ? 12 : 0], text.data(),
              text.size());
  return {text.data(), std::to_string(ntohs(address.sin6_port))};
}

void set_variables(const Address& remote, const Address& local) {
  ::setenv("PROTO", "TCP", 1);
  ::setenv("TCPREMOTEIP", remote.ip.c_str(), 1);
  ::setenv("TCPREMOTEPORT", remote.port.c_str(), 1);
  ::setenv("TCPLOCALIP", local.ip.c_str(), 1);
  ::setenv("TCPLOCALPORT", local.port.c_str(), 1);
  for (const char* name : {"TCPREMOTEHOST", "TCPREMOTEINFO", "TCPLOCALHOST"}) ::unsetenv(name);
}

struct Limits {
  size_t sessions = 0;
  size_t of_one_client = 0;  // 0: any
  size_t stress_from = 0;
  Proxies proxies{};  // each of which has many clients
};

// What we have said to ourselves over an exec, and nobody else is to hear.
size_t sessions_from_before() {
  const char* said = ::getenv(kRunningVariable);
  const size_t number = said == nullptr ? 0 : std::strtoul(said, nullptr, 10);
  ::unsetenv(kRunningVariable);
  return number;
}

class Connections {
 public:
  Connections(char** argv, const Converse& converse, const Limits& limits, StressSign&& sign)
      : argv_(argv),
        converse_(converse),
        limits_(limits),
        running_(sessions_from_before()),
        sign_(std::move(sign)),
        stress_(sign_.level()) {}
  int run();

 private:
  void reap();
  void tell_stress();
  void wait(int listening, int milliseconds);
  bool accept_one();
  bool refused(const Fd& connection, const sockaddr_storage& remote, const std::string& client);
  int session(Fd connection, const sockaddr_storage& remote);
  void start_anew();

  char** argv_;
  const Converse& converse_;
  Limits limits_;
  RunningSessions running_;
  StressSign sign_;
  Stress stress_;
  uint64_t accepted_ = 0;  // since we were executed
  const Environment listener_ = Environment::of_process();
  bool crashed_ = false;
  bool said_full_ = false;
  sigset_t while_waiting_{};
};

int Connections::run() {
  while_waiting_ = catch_signals(kCaught);
  while (asked.stop == 0) {
    reap();
    tell_stress();
    if (crashed_ || asked.reload != 0 || accepted_ >= kConnectionsPerLayout) start_anew();
    if (running_.count() >= limits_.sessions) {
      if (!said_full_)
        log_warning("accept connections", temporary("all " + std::to_string(limits_.sessions) +
                                                    " of control/concurrencyincoming are taken"));
      said_full_ = true;
      wait(-1, -1);
      continue;
    }
    said_full_ = false;
    if (!accept_one()) wait(kListeningFd, -1);
  }
  return 0;
}

void Connections::reap() {
  int status = 0;
  for (;;) {
    const pid_t pid = ::waitpid(-1, &status, WNOHANG);
    if (pid < 0 && errno == ECHILD) running_.all_ended();  // whatever we were told at the start
    if (pid <= 0) return;
    running_.ended(pid);
    // SIGALRM is a session's own end, SIGTERM and SIGKILL somebody's order.
    if (!WIFSIGNALED(status)) continue;
    const int number = WTERMSIG(status);
    log_warning("end a session", temporary("it died by signal " + std::to_string(number)));
    if (number != SIGALRM && number != SIGTERM && number != SIGKILL) crashed_ = true;
  }
}

void Connections::tell_stress() {
  const Stress now = stress_of(stress_, running_.count(), limits_.sessions, limits_.stress_from);
  if (now == stress_) return;
  if (stress_ == Stress::none)
    log_warning(
        "give clients their time",
        temporary(std::to_string(running_.count()) + " of " + std::to_string(limits_.sessions) +
                  " of control/concurrencyincoming are taken; they have control/timeoutstress to get on"));
  if (now == Stress::none) log_info("Clients have their time again");
  stress_ = now;
  sign_.say(now);
}

void Connections::wait(int listening, int milliseconds) {
  pollfd entry{.fd = listening, .events = POLLIN, .revents = 0};
  const timespec limit{.tv_sec = milliseconds / 1000, .tv_nsec = (milliseconds % 1000) * 1000000L};
  ::ppoll(&entry, 1, milliseconds < 0 ? nullptr : &limit, &while_waiting_);
}

// False when nobody is waiting to be accepted.
bool Connections::accept_one() {
  sockaddr_storage remote{};
  socklen_t length = sizeof remote;
  Fd connection{::accept4(kListeningFd, reinterpret_cast<sockaddr*>(&remote), &length, SOCK_CLOEXEC)};
  if (!connection) {
    if (errno == EAGAIN || errno == EWOULDBLOCK) return false;
    if (errno != ECONNABORTED && errno != EINTR) {
      log_warning("accept a connection", os_failure("accept", errno));
      wait(-1, kTroubleMilliseconds);
    }
    return true;
  }
  const std::string client = client_key(remote);
  if (refused(connection, remote, client)) return true;
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::_exit(session(std::move(connection), remote));  // all that it had to say has been written
  } else if (pid < 0) {
    log_warning("start a session", os_failure("fork", errno));
    wait(-1, kTroubleMilliseconds);
  } else {
    running_.started(pid, client);
    ++accepted_;
  }
  return true;
}

// One client may not take every place. Who does not read this at once does not read it at all.
bool Connections::refused(const Fd& connection, const sockaddr_storage& remote, const std::string& client) {
  if (client.empty() || limits_.of_one_client == 0 || running_.of(client) < limits_.of_one_client)
    return false;
  if (limits_.proxies.find(address_of(remote).ip) != nullptr) return false;
  (void)::send(connection.get(), kTooManyOfYou.data(), kTooManyOfYou.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  log_info("Connection from " + address_of(remote).ip + " refused: all " +
           std::to_string(limits_.of_one_client) + " of control/concurrencyperip are taken");
  wait(-1, 0);  // lets signals in: a flood of these must not keep them out
  return true;
}

int Connections::session(Fd connection, const sockaddr_storage& remote) {
  for (const int number : kCaught) ::signal(number, SIG_DFL);
  ::sigprocmask(SIG_SETMASK, &while_waiting_, nullptr);
  sockaddr_storage local{};
  socklen_t length = sizeof local;
  ::getsockname(connection.get(), reinterpret_cast<sockaddr*>(&local), &length);
  ::close(kListeningFd);
  if (::dup2(connection.get(), 0) < 0 || ::dup2(connection.get(), 1) < 0) {
    log_warning("start a session", os_failure("dup2", errno));
    return 111;
  }
  connection.reset();
  const Address client = address_of(remote);
  set_variables(client, address_of(local));
  Result<TcpRule> rule = tcp_rule_of(client.ip, NoRules::refuse);
  if (!rule) {
    log_critical("let " + client.ip + " connect", rule.failure().text);
    return 111;
  }
  if (rule->deny) {
    log_info("Connection from " + client.ip + " denied by control/tcp.smtp.cdb");
    return 0;
  }
  for (const auto& [name, value] : rule->variables) ::setenv(name.c_str(), value.c_str(), 1);
  return converse_(&sign_, listener_);
}

// The signals stay blocked over the exec, so that none is lost.
void Connections::start_anew() {
  ::setenv(kRunningVariable, std::to_string(running_.count()).c_str(), 1);
  sign_.keep_over_exec(true);
  ::execv(argv_[0], argv_);  // which may be a newer version by now
  ::execv("/proc/self/exe", argv_);
  log_warning("start anew", os_failure("execute /proc/self/exe", errno));
  ::unsetenv(kRunningVariable);
  sign_.keep_over_exec(false);
  crashed_ = false;
  asked.reload = 0;
  accepted_ = 0;
}

}  // namespace

int serve_connections(char** argv, const Converse& converse) {
  Result<uint64_t> concurrency = control_number_or("concurrencyincoming", 200);
  Result<uint64_t> of_one_client = control_number_or("concurrencyperip", 20);
  Result<uint64_t> percent = control_number_or("stresspercent", 75);
  Result<uint64_t> patience = control_number_or("timeoutstress", 10);
  for (const Result<uint64_t>* setting : {&concurrency, &of_one_client, &percent, &patience}) {
    if (*setting) continue;
    log_critical("start", setting->failure().text);
    return 111;
  }
  Result<StressSign> sign =
      StressSign::open(static_cast<int64_t>(std::clamp<uint64_t>(*patience, 1, kLongestSeconds)) * 1000);
  if (!sign) {
    log_critical("start", sign.failure().text);
    return 111;
  }
  Result<Proxies> proxies = Proxies::read();
  if (!proxies) {
    log_critical("start", proxies.failure().text);
    return 111;
  }
  // Not blocking: who has gone between our wait and accept must not hold us up.
  const int flags = ::fcntl(kListeningFd, F_GETFL);
  if (flags < 0 || ::fcntl(kListeningFd, F_SETFL, flags | O_NONBLOCK) < 0) {
    log_critical(
        "start",
        os_failure("use descriptor 3, the listening socket that postern-bind leaves there", errno).text);
    return 111;
  }
  const size_t sessions = std::clamp<size_t>(*concurrency, 1, kMostSessions);
  const size_t stress_from = std::max<size_t>(1, sessions * std::clamp<uint64_t>(*percent, 1, 100) / 100);
  return Connections(argv, converse, {sessions, *of_one_client, stress_from, std::move(*proxies)},
                     std::move(*sign))
      .run();
}

}  // namespace postern::smtpd
