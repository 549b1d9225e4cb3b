#include "remote/smtp_session.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "lib/child.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kReplyTextLimitBytes = 500;
constexpr size_t kReadBytes = 4096;

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;
};

SocketAddress socket_address(const Target& target) {
  SocketAddress result;
  if (target.address.find(':') != std::string::npos) {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(target.port);
    ::inet_pton(AF_INET6, target.address.c_str(), &v6.sin6_addr);
    std::memcpy(&result.storage, &v6, sizeof v6);
    result.length = sizeof v6;
  } else {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(target.port);
    ::inet_pton(AF_INET, target.address.c_str(), &v4.sin_addr);
    std::memcpy(&result.storage, &v4, sizeof v4);
    result.length = sizeof v4;
  }
  return result;
}

// 0 or errno of a connect that was begun.
int connect_error(int socket) {
  int error = 0;
  socklen_t length = sizeof error;
  return ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &length) < 0 ? errno : error;
}

}  // namespace

std::string target_text(const Target& target) {
  return printable(target.host, 255) + "[" + target.address + "]:" + std::to_string(target.port);
}

Extensions parse_extensions(const std::vector<std::string>& lines) {
  Extensions found;
  for (size_t i = 1; i < lines.size(); ++i) {
    const std::vector<std::string_view> word = words(trim(lines[i]));
    if (word.empty()) continue;
    if (equal_ignoring_case(word[0], "PIPELINING")) found.pipelining = true;
    if (equal_ignoring_case(word[0], "8BITMIME")) found.eight_bit_mime = true;
    if (equal_ignoring_case(word[0], "SMTPUTF8")) found.smtputf8 = true;
    if (!equal_ignoring_case(word[0], "SIZE")) continue;
    found.size = true;
    found.size_limit = word.size() > 1 ? parse_number(word[1]).value_or(0) : 0;
  }
  return found;
}

Result<std::unique_ptr<SmtpSession>> SmtpSession::connect(const Target& target, uint64_t dcid,
                                                          const SmtpTimeouts& timeouts) {
  const SocketAddress address = socket_address(target);
  const std::string doing = "connect to " + target_text(target);
  Fd socket{::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (!socket) return temporary(os_failure(doing, errno).text, 0, "4.4.1");
  std::unique_ptr<SmtpSession> session(new SmtpSession(std::move(socket), target, dcid, timeouts));
  const int fd = session->socket_.get();
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address.storage), address.length) < 0) {
    if (errno != EINPROGRESS) return temporary(os_failure(doing, errno).text, 0, "4.4.1");
    const int64_t deadline = now_milliseconds() + 1000 * timeouts.connect;
    if (Result<void> ready = session->wait(POLLOUT, deadline, doing); !ready) {
      return temporary(ready.failure().text, 0, "4.4.1");
    }
    if (const int error = connect_error(fd); error != 0)
      return temporary(os_failure(doing, error).text, 0, "4.4.1");
  }
  // We write whole conversations at a time; nothing is gained by the kernel's waiting for more.
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return session;
}

std::string SmtpSession::local_address() const {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&storage), &length) < 0) return "unknown";
  const void* address = storage.ss_family == AF_INET6
                            ? static_cast<const void*>(&reinterpret_cast<sockaddr_in6*>(&storage)->sin6_addr)
                            : static_cast<const void*>(&reinterpret_cast<sockaddr_in*>(&storage)->sin_addr);
  ::inet_ntop(storage.ss_family, address, text.data(), text.size());
  return text.data();
}

Result<void> SmtpSession::greet(std::string_view hello) {
  const auto refused = [&](const ServerReply& reply) {
    // 521 says that this host takes no mail at all (RFC 7504); any other refusal may pass.
    const bool never = reply.code == 521;
    return Failure{never ? Kind::permanent : Kind::temporary, reply.status(), said(reply), 0};
  };
  Result<ServerReply> greeting = read_reply(timeouts_.greeting);
  if (!greeting) return greeting.failure();
  if (greeting->code != 220) return refused(*greeting);
  for (const std::string_view verb : {"EHLO ", "HELO "}) {
    std::string command(verb);
    command.append(hello).append("\r\n");
    if (Result<void> sent = send(command, timeouts_.command); !sent) return sent.failure();
    Result<ServerReply> reply = read_reply(timeouts_.command);
    if (!reply) return reply.failure();
    const bool extended = verb == "EHLO ";
    if (reply->is_class(2)) {
      if (extended) extensions_ = parse_extensions(reply->lines);
      return {};
    }
    if (!extended || !reply->is_class(5) || reply->code == 521) return refused(*reply);
  }
  return {};
}

void SmtpSession::quit() {
  // The server's 221 would only cost us time; a short write to a server that does not read is as good as
  // none.
  if (usable) (void)::send(socket_.get(), "QUIT\r\n", 6, MSG_NOSIGNAL | MSG_DONTWAIT);
  usable = false;
  socket_.reset();
}

Result<void> SmtpSession::wait(short events, int64_t deadline, std::string_view doing) {
  for (;;) {
    const int64_t left = std::clamp<int64_t>(deadline - now_milliseconds(), 0, 1 << 30);
    pollfd state{socket_.get(), events, 0};
    const int ready = ::poll(&state, 1, static_cast<int>(left));
    if (ready > 0) return {};
    if (ready == 0) return lost(doing, ETIMEDOUT);
    if (errno != EINTR) return lost(doing, errno);
  }
}

Failure SmtpSession::lost(std::string_view doing, int error) {
  usable = false;
  return temporary(os_failure(std::string(doing), error).text, 0, "4.4.2");
}

Result<void> SmtpSession::send(std::string_view bytes, int64_t timeout_seconds) {
  const std::string doing = "send to " + target_text(target_);
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent > 0) bytes.remove_prefix(static_cast<size_t>(sent));
    if (sent >= 0 || errno == EINTR) continue;
    if (errno != EAGAIN) return lost(doing, errno);
    if (Result<void> ready = wait(POLLOUT, now_milliseconds() + 1000 * timeout_seconds, doing); !ready)
      return ready;
  }
  return {};
}

Result<ServerReply> SmtpSession::read_reply(int64_t timeout_seconds) {
  const int64_t deadline = now_milliseconds() + 1000 * timeout_seconds;
  for (;;) {
    Result<size_t> taken = parser_.feed(received_);
    if (!taken) {
      usable = false;
      return temporary("read from " + target_text(target_) + ": " + taken.failure().text, 0, "4.5.0");
    }
    received_.erase(0, *taken);
    if (parser_.complete()) {
      ServerReply reply = parser_.take();
      if (reply.code == 421) usable = false;  // it closes the connection
      return reply;
    }
    const std::string doing = "read from " + target_text(target_);
    if (Result<void> ready = wait(POLLIN, deadline, doing); !ready) return ready.failure();
    std::array<char, kReadBytes> bytes;
    const ssize_t got = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
    if (got == 0) {
      usable = false;
      return temporary(doing + ": the connection was closed", 0, "4.4.2");
    }
    if (got < 0 && errno != EINTR && errno != EAGAIN) return lost(doing, errno);
    if (got > 0) received_.append(bytes.data(), static_cast<size_t>(got));
  }
}

bool SmtpSession::quiet() const {
  pollfd state{socket_.get(), POLLIN, 0};
  return usable && received_.empty() && ::poll(&state, 1, 0) == 0;
}

Result<ServerReply> SmtpSession::last_words() {
  Result<ServerReply> reply = read_reply(0);
  usable = false;
  return reply;
}

std::string SmtpSession::said(const ServerReply& reply) const {
  return target_text(target_) + " said: " + std::to_string(reply.code) + " " + reply.status() + " " +
         printable(reply.text(kReplyTextLimitBytes), kReplyTextLimitBytes);
}

}  // namespace postern
