#include "smtpd/tls_layer.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <memory>

#include "lib/call.h"
#include "lib/control.h"
#include "lib/text.h"

namespace postern::smtpd {

namespace {

constexpr const char* kService = "tlsd";
constexpr int64_t kConnectMilliseconds = 5000;
constexpr int64_t kMarginMilliseconds = 5000;  // tlsd itself ends a handshake that is too slow, and says so

// tlsd takes the group's permission from its socket while it has no certificate: one system call tells, and
// nobody needs to be asked.
bool tlsd_has_certificates() {
  struct stat status {};
  return ::stat(home_path(std::string("run/") + kService).c_str(), &status) == 0 &&
         (status.st_mode & S_IWGRP) != 0;
}

class Tlsd {
 public:
  Tlsd(int64_t patience_milliseconds, uint64_t idle_seconds)
      : patience_milliseconds_(patience_milliseconds), idle_seconds_(idle_seconds) {}

  Result<void> prepare() {
    Result<Fd> socket = connect_service(kService, now_milliseconds() + kConnectMilliseconds);
    if (!socket && !tlsd_has_certificates()) return temporary("there is no certificate");
    if (!socket) return socket.failure();
    socket_ = std::move(*socket);
    return {};
  }

  Result<TlsFacts> begin(Client& client) {
    if (!socket_) {
      if (Result<void> there = prepare(); !there) return there.failure();
    }
    std::array<int, 2> ends{-1, -1};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) < 0)
      return os_failure("make a socket pair", errno);
    const Fd ours(ends[0]);
    Fd theirs(ends[1]);
    const Request request{.arguments = {"serve", std::to_string(idle_seconds_)},
                          .environment = {},
                          .fds = {{client.descriptor(), 0}, {theirs.get(), 1}}};
    if (Result<void> sent = send_request(socket_.get(), request); !sent) return sent.failure();
    theirs.reset();
    Result<Reply> reply =
        await_reply(socket_.get(), now_milliseconds() + patience_milliseconds_ + kMarginMilliseconds);
    socket_.reset();
    if (!reply) return reply.failure();
    if (reply->exit_code != 0) return temporary(printable(reply->output, 200));
    Result<TlsFacts> facts = parse_tls_facts(reply->output);
    if (!facts) return facts;
    if (Result<void> replaced = client.go_on_over(ours.get(), ours.get()); !replaced)
      return replaced.failure();
    return facts;
  }

 private:
  int64_t patience_milliseconds_;
  uint64_t idle_seconds_;
  Fd socket_;
};

TlsLayer by_tlsd(bool immediate, int64_t patience_milliseconds, uint64_t idle_seconds) {
  const auto tlsd = std::make_shared<Tlsd>(patience_milliseconds, idle_seconds);
  return {.offered = [immediate] { return !immediate && tlsd_has_certificates(); },
          .prepare = [tlsd] { return tlsd->prepare(); },
          .begin = [tlsd](Client& client) { return tlsd->begin(client); },
          .immediate = immediate};
}

std::optional<int> descriptor_of(const Environment& environment, std::string_view name) {
  const std::optional<uint64_t> number = parse_number(environment.get_or(name, ""));
  if (!number || *number < 3 || *number > 65535) return std::nullopt;
  const int fd = static_cast<int>(*number);
  if (::fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) return std::nullopt;
  return fd;
}

// The server has the connection's bytes from the moment it reads our `y`; we go on over its two pipes. It
// answers nothing: what came of the handshake shows in whether there is input.
TlsLayer by_ucspi(int control, int in, int out) {
  const auto begin = [control, in, out](Client& client) -> Result<TlsFacts> {
    if (Result<void> told = write_all(control, "y", "tell the server to begin TLS"); !told)
      return told.failure();
    const Fd read(in);
    const Fd write(in == out ? -1 : out);
    if (Result<void> replaced = client.go_on_over(in, out); !replaced) return replaced.failure();
    return TlsFacts{};
  };
  return {.offered = [] { return true; }, .prepare = [] { return Result<void>(); }, .begin = begin};
}

std::string word_or_nothing(const Environment& environment, std::string_view name) {
  std::string word = environment.get_or(name, "");
  return is_tls_word(word) ? word : std::string();
}

}  // namespace

TlsLayer choose_tls_layer(Environment& environment, int64_t patience_milliseconds, uint64_t idle_seconds) {
  const std::optional<int> control = descriptor_of(environment, "SSLCTLFD");
  const std::optional<int> in = descriptor_of(environment, "SSLREADFD");
  const std::optional<int> out = descriptor_of(environment, "SSLWRITEFD");
  const bool immediate = environment.get_or("POSTERN_TLS", "") == "immediate";
  const TlsFacts outside{.protocol = word_or_nothing(environment, "SSL_PROTOCOL"),
                         .cipher = word_or_nothing(environment, "SSL_CIPHER")};
  forget_tls_layer(environment);
  if (control && in && out) return by_ucspi(*control, *in, *out);
  if (!outside.protocol.empty()) {
    TlsLayer begun;
    begun.begun = outside;
    return begun;
  }
  return by_tlsd(immediate, patience_milliseconds, idle_seconds);
}

void forget_tls_layer(Environment& environment) {
  for (const char* name :
       {"SSLCTLFD", "SSLREADFD", "SSLWRITEFD", "SSL_PROTOCOL", "SSL_CIPHER", "POSTERN_TLS"})
    environment.unset(name);
}

}  // namespace postern::smtpd
