#include "remote/smtp_session.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "lib/child.h"
#include "lib/text.h"
#include "remote/dial.h"
#include "remote/tls_context.h"
#include "remote/tls_stream.h"

namespace postern {

namespace {

constexpr size_t kReplyTextLimitBytes = 500;
constexpr size_t kReadBytes = 4096;
// How long recv itself waits before the exact deadline is looked at: so that a reply that comes soon costs
// one system call.
constexpr int64_t kPatienceSeconds = 5;

struct PhaseFacts {
  int64_t SmtpTimeouts::*seconds;
  std::string_view reply;
};
constexpr std::array<PhaseFacts, 10> kPhases = {{
    {&SmtpTimeouts::greeting, "the greeting"},
    {&SmtpTimeouts::hello, "the reply to EHLO"},
    {&SmtpTimeouts::starttls, "the reply to STARTTLS"},
    {&SmtpTimeouts::mail, "the reply to MAIL"},
    {&SmtpTimeouts::rcpt, "the reply to RCPT"},
    {&SmtpTimeouts::data, "the reply to DATA"},
    {&SmtpTimeouts::block, "a reply before the end of the message"},
    {&SmtpTimeouts::end, "the reply to the message"},
    {&SmtpTimeouts::reset, "the reply to RSET"},
    {&SmtpTimeouts::hello, "the reply to AUTH"},
}};

const PhaseFacts& facts(Phase phase) {
  return kPhases.at(static_cast<size_t>(phase));
}

// 0 or errno of a connect that was begun.
int connect_error(int socket) {
  int error = 0;
  socklen_t length = sizeof error;
  return ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &length) < 0 ? errno : error;
}

}  // namespace

bool is_local_socket(const Target& target) {
  return target.address.starts_with('/');
}

std::string target_text(const Target& target) {
  return printable(target.host, 255) + "[" + target.address + "]:" + std::to_string(target.port);
}

namespace {

void note_mechanisms(const std::vector<std::string_view>& word, Extensions& found) {
  for (size_t i = 1; i < word.size(); ++i) {
    if (equal_ignoring_case(word[i], "PLAIN")) found.auth_plain = true;
    if (equal_ignoring_case(word[i], "LOGIN")) found.auth_login = true;
  }
}

}  // namespace

Extensions parse_extensions(const std::vector<std::string>& lines, const std::vector<std::string>& ignored) {
  Extensions found;
  for (size_t i = 1; i < lines.size(); ++i) {
    const std::vector<std::string_view> word = words(trim(lines[i]));
    if (word.empty()) continue;
    const auto is = [&](std::string_view name) { return equal_ignoring_case(word[0], name); };
    if (std::any_of(ignored.begin(), ignored.end(), is)) continue;
    if (is("PIPELINING")) found.pipelining = true;
    if (is("8BITMIME")) found.eight_bit_mime = true;
    if (is("SMTPUTF8")) found.smtputf8 = true;
    if (is("DSN")) found.dsn = true;
    if (is("CHUNKING")) found.chunking = true;
    if (is("STARTTLS")) found.starttls = true;
    if (is("AUTH")) note_mechanisms(word, found);
    if (!is("SIZE")) continue;
    found.size = true;
    found.size_limit = word.size() > 1 ? parse_number(word[1]).value_or(0) : 0;
  }
  return found;
}

SmtpSession::SmtpSession(Fd socket, Target target, uint64_t dcid, const SmtpTimeouts& timeouts)
    : socket_(std::move(socket)), target_(std::move(target)), dcid_(dcid), timeouts_(timeouts) {}

SmtpSession::~SmtpSession() = default;

std::unique_ptr<SmtpSession> SmtpSession::over(Fd socket, const Target& target, uint64_t dcid,
                                               const SmtpTimeouts& timeouts) {
  return std::unique_ptr<SmtpSession>(new SmtpSession(std::move(socket), target, dcid, timeouts));
}

Result<std::unique_ptr<SmtpSession>> SmtpSession::connect(const Target& target, uint64_t dcid,
                                                          const SmtpTimeouts& timeouts) {
  const std::string doing = "connect to " + target_text(target);
  Result<Fd> socket = begin_to_connect(target, doing);
  if (!socket) return temporary(socket.failure().text, 0, "4.4.1");
  std::unique_ptr<SmtpSession> session = over(std::move(*socket), target, dcid, timeouts);
  if (Result<void> connected = session->finish_connect(doing); !connected) {
    return temporary(connected.failure().text, 0, "4.4.1");
  }
  return session;
}

Result<void> SmtpSession::finish_connect(std::string_view doing) {
  const int fd = socket_.get();
  if (Result<void> ready = wait(POLLOUT, now_milliseconds() + 1000 * timeouts_.connect, doing); !ready)
    return ready;
  if (const int error = connect_error(fd); error != 0) return lost(doing, error);
  // From here on recv waits by itself for a while; send never does (MSG_DONTWAIT).
  int64_t patience = kPatienceSeconds;
  for (const PhaseFacts& phase : kPhases) patience = std::min(patience, timeouts_.*phase.seconds);
  const timeval limit{patience, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::fcntl(fd, F_SETFL, 0);
  // We write whole conversations at a time; nothing is gained by the kernel's waiting for more.
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return {};
}

std::string SmtpSession::local_address() const {
  if (is_local_socket(target_)) return "local";
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

Failure SmtpSession::refused(const ServerReply& reply) const {
  // 521 says that this host takes no mail at all (RFC 7504); any other refusal may pass.
  const bool never = reply.code == 521;
  return Failure{never ? Kind::permanent : Kind::temporary, reply.status(), said(reply), 0};
}

Result<void> SmtpSession::greet(const RemoteSettings& settings, bool only_helo) {
  Result<ServerReply> greeting = read_reply(Phase::greeting);
  if (!greeting) return greeting.failure();
  if (greeting->code != 220) return refused(*greeting);
  return hello(settings, only_helo);
}

Result<void> SmtpSession::hello(const RemoteSettings& settings, bool only_helo) {
  const std::string& hello = target_.hello.empty() ? settings.hello : target_.hello;
  if (!only_helo || target_.lmtp) {
    Result<ServerReply> reply = say_hello(target_.lmtp ? "LHLO " : "EHLO ", hello);
    if (!reply) return reply.failure();
    if (reply->is_class(2)) {
      extensions_ = parse_extensions(reply->lines, settings.ignored_extensions);
      // Its BDAT would be answered for each recipient too; DATA does as well.
      if (target_.lmtp) forget_chunking();
      return {};
    }
    if (!reply->is_class(5) || reply->code == 521 || target_.lmtp) return refused(*reply);
  }
  Result<ServerReply> reply = say_hello("HELO ", hello);
  if (!reply) return reply.failure();
  return reply->is_class(2) ? Result<void>() : refused(*reply);
}

Result<ServerReply> SmtpSession::say_hello(std::string_view verb, const std::string& hello) {
  std::string command(verb);
  command.append(hello).append("\r\n");
  Result<void> sent = send(command, Phase::hello);
  Result<ServerReply> reply = sent ? read_reply(Phase::hello) : Result<ServerReply>(sent.failure());
  closed_at_ehlo_ = !reply && peer_closed_;
  return reply;
}

void SmtpSession::quit() {
  // The server's 221 would only cost us time; a short write to a server that does not read is as good as
  // none.
  if (usable) (void)transmit("QUIT\r\n");
  if (stream_) stream_->close();
  usable = false;
  stream_.reset();
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
  peer_closed_ = error == ECONNRESET || error == EPIPE;
  return temporary(os_failure(std::string(doing), error).text, 0, "4.4.2");
}

Result<void> SmtpSession::send(std::string_view bytes, Phase phase) {
  while (!bytes.empty()) {
    const ssize_t sent = transmit(bytes);
    if (sent > 0) bytes.remove_prefix(static_cast<size_t>(sent));
    if (sent >= 0 || errno == EINTR) continue;
    const std::string doing = "send to " + target_text(target_);
    if (errno != EAGAIN) return lost(doing, errno);
    const int64_t deadline = std::min(give_up, now_milliseconds() + 1000 * (timeouts_.*facts(phase).seconds));
    if (Result<void> ready = wait(stream_ ? stream_->awaited() : short{POLLOUT}, deadline, doing); !ready)
      return ready;
  }
  return {};
}

ssize_t SmtpSession::transmit(std::string_view bytes) {
  if (stream_) return stream_->write(bytes);
  return ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

ssize_t SmtpSession::receive(std::span<char> into, int recv_flags) {
  if (stream_) return stream_->read(into, recv_flags);
  return ::recv(socket_.get(), into.data(), into.size(), recv_flags);
}

Result<ServerReply> SmtpSession::read_reply(Phase phase) {
  return read_until(std::min(give_up, now_milliseconds() + 1000 * (timeouts_.*facts(phase).seconds)), phase,
                    0);
}

Result<ServerReply> SmtpSession::read_until(int64_t deadline, Phase phase, int recv_flags) {
  const auto doing = [&] {
    return "read " + std::string(facts(phase).reply) + " from " + target_text(target_);
  };
  for (bool first = true;; first = false) {
    Result<size_t> taken = parser_.feed(received_);
    if (!taken) {
      usable = false;
      return temporary(doing() + ": " + taken.failure().text, 0, "4.5.0");
    }
    received_.erase(0, *taken);
    if (parser_.complete()) {
      ServerReply reply = parser_.take();
      if (reply.code == 421) usable = false;  // it closes the connection
      return reply;
    }
    // A server that sends a reply byte by byte has no more time than another.
    if (!first && now_milliseconds() >= deadline) return lost(doing(), ETIMEDOUT);
    std::array<char, kReadBytes> bytes;
    const ssize_t got = receive(bytes, recv_flags);
    if (got == 0) {
      usable = false;
      peer_closed_ = true;
      return temporary(doing() + ": the connection was closed", 0, "4.4.2");
    }
    if (got > 0) received_.append(bytes.data(), static_cast<size_t>(got));
    if (got > 0 || errno == EINTR) continue;
    if (errno != EAGAIN) return lost(doing(), errno);
    if (Result<void> ready = wait(stream_ ? stream_->awaited() : short{POLLIN}, deadline, doing()); !ready)
      return ready.failure();
  }
}

bool SmtpSession::quiet() {
  if (!usable || !received_.empty()) return false;
  pollfd state{socket_.get(), POLLIN, 0};
  const bool silent = ::poll(&state, 1, 0) == 0;
  if (!stream_) return silent;
  // What came may be a ticket, and nothing that was said. Who sends more than can be read at once is not
  // quiet.
  take_pending(!silent);
  return usable && received_.empty() && (silent || ::poll(&state, 1, 0) == 0);
}

bool SmtpSession::read_all() {
  take_pending(false);
  return received_.empty();
}

// What stands in OpenSSL's buffer, or in the kernel's too, to our own; never waits. Where the connection has
// ended it is of no more use.
void SmtpSession::take_pending(bool ask_kernel) {
  if (!stream_) return;
  for (bool ask = ask_kernel; ask || stream_->has_pending(); ask = false) {
    std::array<char, kReadBytes> bytes;
    const ssize_t got = stream_->read(bytes, MSG_DONTWAIT);
    if (got > 0) received_.append(bytes.data(), static_cast<size_t>(got));
    if (got > 0 && received_.size() < kReplyTextLimitBytes) continue;
    if (got >= 0 || errno != EAGAIN) usable = false;
    return;
  }
}

Result<ServerReply> SmtpSession::last_words() {
  Result<ServerReply> reply = read_until(now_milliseconds() + 1, Phase::block, MSG_DONTWAIT);
  usable = false;
  return reply;
}

std::string SmtpSession::said(const ServerReply& reply) const {
  return target_text(target_) + " said: " + std::to_string(reply.code) + " " + reply.status() + " " +
         printable(reply.text(kReplyTextLimitBytes), kReplyTextLimitBytes);
}

}  // namespace postern
