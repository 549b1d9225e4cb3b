// SMTP sessions over STARTTLS, one after the other in each of several processes, for tests/bench/tls.py.
//
//   tls_sessions PORT SESSIONS PROCESSES full|resumed|clear [delay]
//              EHLO, STARTTLS, the handshake, EHLO, QUIT, and the ends; `resumed`: with the ticket of the
//              first; `clear`: without TLS; `delay`: with Nagle's algorithm on our side, as a plain client
//              has it
//   fd 1 out   "SECONDS CLIENT-CPU-SECONDS MEDIAN-MS 95TH-MS RESUMED"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

struct Plan {
  int port = 0;
  size_t sessions = 0;
  size_t processes = 0;
  std::string kind;
  bool delay = false;
};

struct Outcome {
  double milliseconds = 0;
  bool resumed = false;
};

double now_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::_Exit(1);
}

SSL_SESSION* ticket = nullptr;

// The first one does for all.
int keep_ticket(SSL* /*ssl*/, SSL_SESSION* session) {
  if (ticket != nullptr) return 0;
  ticket = session;
  return 1;
}

class Session {
 public:
  Session(const Plan& plan, SSL_CTX* context) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<uint16_t>(plan.port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    if (!plan.delay) ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) < 0) fail("connect");
    expect("220");
    say("EHLO client.example\r\n", "250");
    if (plan.kind != "clear") {
      say("STARTTLS\r\n", "220");
      shake(plan, context);
      say("EHLO client.example\r\n", "250");
    }
    say("QUIT\r\n", "221");
    if (ssl_ != nullptr) SSL_shutdown(ssl_);
    ::shutdown(socket_, SHUT_WR);
    char rest[1000];
    while (::read(socket_, rest, sizeof rest) > 0) {
    }
  }
  ~Session() {
    if (ssl_ != nullptr) SSL_free(ssl_);
    ::close(socket_);
  }
  bool resumed() const { return ssl_ != nullptr && SSL_session_reused(ssl_) == 1; }

 private:
  void shake(const Plan& plan, SSL_CTX* context) {
    ssl_ = SSL_new(context);
    SSL_set_fd(ssl_, socket_);
    if (plan.kind == "resumed" && ticket != nullptr) {
      SSL_SESSION* copy = SSL_SESSION_dup(ticket);  // what has been used once is not used again
      SSL_set_session(ssl_, copy);
      SSL_SESSION_free(copy);
    }
    if (SSL_connect(ssl_) != 1) fail("handshake");
  }
  void say(std::string_view line, std::string_view code) {
    const int length = static_cast<int>(line.size());
    const long sent =
        ssl_ != nullptr ? SSL_write(ssl_, line.data(), length) : ::send(socket_, line.data(), line.size(), 0);
    if (sent != length) fail("send");
    expect(code);
  }
  void expect(std::string_view code) {
    std::string reply;
    char bytes[4096];
    for (;;) {
      const long got =
          ssl_ != nullptr ? SSL_read(ssl_, bytes, sizeof bytes) : ::read(socket_, bytes, sizeof bytes);
      if (got <= 0) fail("read");
      reply.append(bytes, static_cast<size_t>(got));
      if (!reply.ends_with("\r\n")) continue;
      const size_t before = reply.rfind('\n', reply.size() - 2);
      const std::string_view last =
          std::string_view(reply).substr(before == std::string::npos ? 0 : before + 1);
      if (last.size() > 3 && last[3] == ' ') {
        if (!last.starts_with(code)) fail(reply.c_str());
        return;
      }
    }
  }

  int socket_;
  SSL* ssl_ = nullptr;
};

[[noreturn]] void work(const Plan& plan, int out) {
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, keep_ticket);
  std::vector<Outcome> outcomes;
  for (size_t i = 0; i < plan.sessions / plan.processes; ++i) {
    const double begun = now_seconds();
    const Session session(plan, context);
    outcomes.push_back({(now_seconds() - begun) * 1000, session.resumed()});
  }
  const size_t bytes = outcomes.size() * sizeof(Outcome);
  if (::write(out, outcomes.data(), bytes) != static_cast<ssize_t>(bytes)) fail("write");
  std::_Exit(0);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) return 100;
  const Plan plan{.port = std::atoi(argv[1]),
                  .sessions = std::strtoul(argv[2], nullptr, 10),
                  .processes = std::strtoul(argv[3], nullptr, 10),
                  .kind = argv[4],
                  .delay = argc > 5};
  std::vector<int> pipes;
  const double begun = now_seconds();
  for (size_t i = 0; i < plan.processes; ++i) {
    int ends[2];
    if (::pipe(ends) < 0) fail("pipe");
    if (::fork() == 0) work(plan, ends[1]);
    ::close(ends[1]);
    pipes.push_back(ends[0]);
  }
  std::vector<double> times;
  size_t resumed = 0;
  for (const int pipe : pipes) {
    Outcome outcome;
    while (::read(pipe, &outcome, sizeof outcome) == sizeof outcome) {
      times.push_back(outcome.milliseconds);
      resumed += outcome.resumed ? 1 : 0;
    }
  }
  bool failed = times.empty();
  for (int status = 0; ::wait(&status) > 0;) failed = failed || status != 0;
  if (failed) return 1;
  const double seconds = now_seconds() - begun;
  rusage used{};
  ::getrusage(RUSAGE_CHILDREN, &used);
  const auto cpu = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  std::sort(times.begin(), times.end());
  std::printf("%.3f %.3f %.2f %.2f %zu\n", seconds, cpu(used.ru_utime) + cpu(used.ru_stime),
              times[times.size() / 2], times[times.size() * 95 / 100], resumed);
  return 0;
}
