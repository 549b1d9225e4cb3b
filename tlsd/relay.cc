#include "tlsd/relay.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "lib/child.h"
#include "lib/log.h"
#include "lib/text.h"
#include "tlsd/facts.h"

namespace postern::tlsd {

namespace {

constexpr int kTurns = 16;  // pieces of kRelayBytes before others have their turn
constexpr uint32_t kClientEvents = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
constexpr uint32_t kPlainEvents = EPOLLIN | EPOLLRDHUP | EPOLLET;
constexpr uint32_t kInput = EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR;

// One for all connections of this process: what stays in it belongs to nobody.
std::array<char, kRelayBytes> piece;

bool is_stream(int fd) {
  int type = 0;
  socklen_t length = sizeof type;
  return ::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_STREAM;
}

bool unblock(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  return flags >= 0 && ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

// RFC 8446, 6.2: a fatal alert has been written by OpenSSL; the reason is for smtpd's log.
std::string handshake_error(int kind, int error_number) {
  if (kind == SSL_ERROR_SSL) return openssl_error();
  ::ERR_clear_error();
  if (kind == SSL_ERROR_SYSCALL && error_number != 0) return os_failure("handshake", error_number).text;
  return "the client ended the connection in the handshake";
}

}  // namespace

Relay::Relay(Fd control, int poller, uint64_t id, const Certificates& certificates,
             int64_t handshake_milliseconds)
    : poller_(poller),
      id_(id),
      certificates_(certificates),
      handshake_milliseconds_(handshake_milliseconds),
      deadline_(now_milliseconds() + kRequestMilliseconds),
      control_(std::move(control)) {
  if (!watch(control_.get(), Side::control, EPOLLIN | EPOLLRDHUP)) end();
}

Relay::~Relay() {
  ::SSL_free(ssl_);
}

bool Relay::watch(int fd, Side side, uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = id_ * 4 + static_cast<uint64_t>(side);
  if (::epoll_ctl(poller_, EPOLL_CTL_ADD, fd, &event) == 0) return true;
  return errno == EEXIST && ::epoll_ctl(poller_, EPOLL_CTL_MOD, fd, &event) == 0;
}

void Relay::on_event(Side side, uint32_t events) {
  if (side == Side::control) {
    if (state_ == State::asked) return receive();
    if ((events & (EPOLLHUP | EPOLLRDHUP | EPOLLERR)) != 0) end();  // smtpd does not wait any longer
    return;
  }
  if (side == Side::plain && (events & (EPOLLHUP | EPOLLRDHUP | EPOLLERR)) != 0) smtpd_has_left();
  if ((events & kInput) != 0) (side == Side::client ? client_readable_ : plain_readable_) = true;
  go_on();
}

void Relay::go_on() {
  if (state_ == State::shaking) return shake();
  if (state_ == State::relaying) return pump();
}

void Relay::time_out() {
  if (state_ == State::shaking) return refuse("the handshake took too long");
  end();
}

void Relay::receive() {
  Result<Incoming> incoming = receive_request(control_.get());
  if (!incoming) return refuse(incoming.failure().text);
  if (incoming->came == Came::end_of_file) return end();  // smtpd has thought better of it
  if (Result<void> taken = take_over(incoming->request); !taken) return refuse(taken.failure().text);
  deadline_ = now_milliseconds() + handshake_milliseconds_;
  state_ = State::shaking;
  shake();
}

Result<void> Relay::take_over(ReceivedRequest& request) {
  for (auto& [number, fd] : request.fds) (number == 0 ? client_ : plain_) = std::move(fd);
  const std::vector<std::string>& words = request.arguments;
  const std::optional<uint64_t> idle_seconds =
      words.size() == 2 ? parse_number(words[1]) : std::optional(kClientIdleSeconds);
  if (words.empty() || words.size() > 2 || words[0] != "serve" || !idle_seconds || request.fds.size() != 2 ||
      !client_ || !plain_)
    return temporary("the request is not: serve SECONDS, with a client's socket as 0 and smtpd's as 1");
  idle_milliseconds_ =
      static_cast<int64_t>(std::min(*idle_seconds, kLongestIdleSeconds) + kIdleMarginSeconds) * 1000;
  if (!is_stream(client_.get()) || !is_stream(plain_.get()) || !unblock(client_.get()) ||
      !unblock(plain_.get()))
    return temporary("what came are no stream sockets");
  if (certificates_.empty()) return temporary("there is no certificate");
  // Each flight and each reply is one write: nothing is gained by holding it back, and with Nagle's algorithm
  // a ticket and the reply behind it wait for a delayed acknowledgement (42 ms).
  const int on = 1;
  ::setsockopt(client_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ssl_ = ::SSL_new(certificates_.context());
  if (ssl_ == nullptr || ::SSL_set_fd(ssl_, client_.get()) != 1)
    return temporary("start TLS: " + openssl_error());
  ::SSL_set_accept_state(ssl_);
  if (!watch(client_.get(), Side::client, kClientEvents)) return os_failure("watch a socket", errno);
  return {};
}

void Relay::shake() {
  ::ERR_clear_error();
  errno = 0;
  const int done = ::SSL_do_handshake(ssl_);
  const int error_number = errno;
  if (done == 1) return answer();
  const int kind = ::SSL_get_error(ssl_, done);
  if (kind == SSL_ERROR_WANT_READ || kind == SSL_ERROR_WANT_WRITE) return;
  refuse(handshake_error(kind, error_number));
}

void Relay::answer() {
  const Result<void> sent =
      send_reply(control_.get(), {.exit_code = 0, .output = serialise_tls_facts(facts_of(ssl_))});
  if (!sent || !watch(plain_.get(), Side::plain, kPlainEvents)) return end();
  control_.reset();
  deadline_ = now_milliseconds() + idle_milliseconds_;
  state_ = State::relaying;
  client_readable_ = true;  // the first words may have come with the end of the handshake
  pump();
}

void Relay::refuse(const std::string& why) {
  (void)send_reply(control_.get(), {.exit_code = 111, .output = why});
  // An alert goes out before the end; what the client still sends must not turn that end into a reset.
  if (client_) {
    ::shutdown(client_.get(), SHUT_WR);
    while (::recv(client_.get(), piece.data(), piece.size(), MSG_DONTWAIT) > 0) {
    }
  }
  end();
}

void Relay::pump() {
  wants_turn_ = false;
  int turns = 0;
  bool went = false;
  for (bool goes = true; goes && state_ == State::relaying;) {
    if (++turns > kTurns) {
      wants_turn_ = true;
      break;
    }
    const bool in = pump_in();
    const bool out = pump_out();
    goes = in || out;
    went = went || goes;
  }
  if (went && !told_client_) deadline_ = now_milliseconds() + idle_milliseconds_;
  if (!wants_turn_) settle_ends();
}

bool Relay::pump_in() {
  if (!to_plain_.empty() && !write_plain()) return false;
  if (client_ended_ || !client_readable_) return false;
  ::ERR_clear_error();
  const int got = ::SSL_read(ssl_, piece.data(), static_cast<int>(piece.size()));
  if (got > 0) {
    if (plain_gone_) return true;  // read on, so that the client reads our last reply before it meets an end
    to_plain_.assign(piece.data(), static_cast<size_t>(got));
    return write_plain();
  }
  switch (::SSL_get_error(ssl_, got)) {
    case SSL_ERROR_WANT_READ:
      client_readable_ = false;
      return false;
    case SSL_ERROR_WANT_WRITE:
      return false;
    case SSL_ERROR_ZERO_RETURN:
      client_ended_ = true;
      return false;
    default:
      client_is_gone();
      return false;
  }
}

bool Relay::write_plain() {
  const ssize_t wrote = ::send(plain_.get(), to_plain_.data(), to_plain_.size(), MSG_NOSIGNAL);
  if (wrote < 0 && errno != EAGAIN && errno != EINTR) {
    plain_gone_ = true;
    smtpd_has_left();
    to_plain_ = {};
    return true;
  }
  if (wrote > 0) to_plain_.erase(0, static_cast<size_t>(wrote));
  if (to_plain_.empty()) {
    to_plain_ = {};
    return true;
  }
  if (!std::exchange(plain_watched_for_room_, true))
    (void)watch(plain_.get(), Side::plain, kPlainEvents | EPOLLOUT);
  return false;
}

bool Relay::pump_out() {
  if (!to_client_.empty() && !write_client()) return false;
  if (plain_ended_ || !plain_readable_) return false;
  const ssize_t got = ::recv(plain_.get(), piece.data(), piece.size(), 0);
  if (got > 0) {
    if (client_gone_) return true;
    to_client_.assign(piece.data(), static_cast<size_t>(got));
    return write_client();
  }
  if (got < 0 && errno == EINTR) return true;
  plain_readable_ = false;
  if (got == 0 || errno != EAGAIN) {
    plain_ended_ = true;
    smtpd_has_left();
  }
  return false;
}

bool Relay::write_client() {
  ::ERR_clear_error();
  const int wrote = ::SSL_write(ssl_, to_client_.data(), static_cast<int>(to_client_.size()));
  if (wrote > 0) {
    to_client_.erase(0, static_cast<size_t>(wrote));
    if (to_client_.empty()) to_client_ = {};
    return true;
  }
  const int kind = ::SSL_get_error(ssl_, wrote);
  if (kind == SSL_ERROR_WANT_WRITE || kind == SSL_ERROR_WANT_READ) return false;
  client_is_gone();
  return true;
}

// What it said before is still smtpd's.
void Relay::client_is_gone() {
  ::ERR_clear_error();
  client_gone_ = client_ended_ = true;
  to_client_ = {};
}

// A client that does not read keeps us from ever reading the end of what smtpd has said, and one that goes on
// sending is never idle: so the time runs from the hang-up itself.
void Relay::smtpd_has_left() {
  ending_at_ = std::min(ending_at_, now_milliseconds() + kLeftMilliseconds);
}

// Each end is told of the other's, once what was said before it has been passed on.
void Relay::settle_ends() {
  if (client_ended_ && to_plain_.empty() && !std::exchange(told_plain_, true))
    ::shutdown(plain_.get(), SHUT_WR);
  if (plain_ended_ && to_client_.empty() && !told_client_) {
    told_client_ = true;
    if (!client_gone_) {
      ::ERR_clear_error();
      ::SSL_shutdown(ssl_);  // says that this is the end; nobody waits for an answer
      ::shutdown(client_.get(), SHUT_WR);
    }
    deadline_ = now_milliseconds() + kEndingMilliseconds;
  }
  if (told_plain_ && told_client_) return end();
}

}  // namespace postern::tlsd
