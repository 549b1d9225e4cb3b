#include "service/selftest_smtp.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

#include "lib/child.h"
#include "lib/fd.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kReplyLimitBytes = 64 * 1024;

// False: the deadline passed first.
bool wait_until(int fd, short events, int64_t deadline) {
  for (;;) {
    struct pollfd wait {
      fd, events, 0
    };
    const auto left = static_cast<int>(std::clamp<int64_t>(deadline - now_milliseconds(), 0, 1 << 30));
    const int ready = ::poll(&wait, 1, left);
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

class Dialogue {
 public:
  Dialogue(int socket, int64_t deadline) : socket_(socket), deadline_(deadline) {}

  Result<void> send(std::string_view bytes) {
    while (!bytes.empty()) {
      if (!wait_until(socket_, POLLOUT, deadline_)) return late("it takes no more");
      const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (sent < 0) return os_failure("send to the server", errno);
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return {};
  }

  // The last line of the next reply counts; the ones before it ("250-…") are passed over.
  Result<SmtpAnswer> receive(std::string_view to) {
    for (;;) {
      Result<std::string> line = next_line();
      if (!line) return temporary(line.failure().text + ", waiting for the answer to " + std::string(to));
      const std::optional<uint64_t> code = parse_number(line->substr(0, 3));
      if (!code || *code < 200 || *code > 599 || line->size() < 3)
        return temporary("\"" + printable(*line, 100) + "\" is no SMTP reply");
      if (line->size() > 3 && (*line)[3] == '-') continue;
      return SmtpAnswer{.to = std::string(to),
                        .code = static_cast<unsigned>(*code),
                        .text = line->size() > 4 ? printable(line->substr(4)) : ""};
    }
  }

 private:
  static Failure late(std::string_view what) { return temporary("no answer in time: " + std::string(what)); }

  Result<std::string> next_line() {
    for (;;) {
      if (const size_t end = read_.find('\n'); end != std::string::npos) {
        std::string line{trim(std::string_view(read_).substr(0, end))};
        read_.erase(0, end + 1);
        return line;
      }
      if (read_.size() > kReplyLimitBytes) return temporary("the server's reply has no end");
      if (!wait_until(socket_, POLLIN, deadline_)) return late("it says nothing");
      std::array<char, 4096> buffer;
      Result<size_t> got = read_some(socket_, buffer, "read from the server");
      if (!got) return got.failure();
      if (*got == 0) return temporary("the server closed the connection");
      read_.append(buffer.data(), *got);
    }
  }

  int socket_;
  int64_t deadline_;
  std::string read_;
};

struct FreeAddresses {
  void operator()(addrinfo* addresses) const { ::freeaddrinfo(addresses); }
};

}  // namespace

Result<SmtpAnswer> hand_over(int socket, std::string_view recipient, std::string_view message,
                             int64_t deadline_milliseconds) {
  Dialogue dialogue(socket, deadline_milliseconds);
  struct Step {
    std::string_view name;
    std::string line;
    unsigned consent;  // the first digit of the answer that leads on
  };
  const std::array steps = {
      Step{"the connection", "", 2},
      Step{"EHLO", "EHLO postern-selftest.invalid\r\n", 2},
      Step{"MAIL", "MAIL FROM:<>\r\n", 2},
      Step{"RCPT", "RCPT TO:<" + std::string(recipient) + ">\r\n", 2},
      Step{"DATA", "DATA\r\n", 3},
      Step{"the message", std::string(message) + ".\r\n", 2},  // none of its lines begins with a dot
  };
  SmtpAnswer answer;
  for (const Step& step : steps) {
    if (Result<void> sent = dialogue.send(step.line); !sent) return sent.failure();
    Result<SmtpAnswer> said = dialogue.receive(step.name);
    if (!said) return said.failure();
    answer = std::move(*said);
    if (answer.code / 100 != step.consent) break;
  }
  answer.of_message = answer.to == steps.back().name;
  (void)dialogue.send("QUIT\r\n");
  return answer;
}

Result<Fd> connect_to_listener(const std::string& address, const std::string& port,
                               int64_t deadline_milliseconds) {
  const std::string host = address == "0.0.0.0" ? "127.0.0.1" : address == "::" ? "::1" : address;
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0)
    return permanent("\"" + printable(host, 60) + "\" is no address; look at control/listen");
  const std::unique_ptr<addrinfo, FreeAddresses> addresses{found};
  Fd socket{::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (!socket) return os_failure("make a socket", errno);
  const std::string doing = "connect to " + host + " port " + port;
  if (::connect(socket.get(), found->ai_addr, found->ai_addrlen) < 0) {
    if (errno != EINPROGRESS) return os_failure(doing, errno);
    if (!wait_until(socket.get(), POLLOUT, deadline_milliseconds)) return temporary(doing + ": no answer");
    int error = 0;
    socklen_t length = sizeof error;
    ::getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &length);
    if (error != 0) return os_failure(doing, error);
  }
  return socket;
}

}  // namespace postern
