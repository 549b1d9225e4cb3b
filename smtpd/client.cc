#include "smtpd/client.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "lib/child.h"

namespace postern::smtpd {

namespace {

constexpr int64_t kQuietMilliseconds = 2000;
constexpr size_t kRepliesLimitBytes = 16384;         // then they go out even while input is there
constexpr size_t kPassOverLimitBytes = 1024 * 1024;  // of one line that never ends
constexpr int64_t kLastWordsMilliseconds = 2000;
constexpr int64_t kLastWordsUnderStress = 100;
constexpr int64_t kLeastWaited = 1000;  // before it is asked whether places are short
constexpr size_t kLastInputLimitBytes = 4 * 1024 * 1024;

// With a time limit on the socket a read costs one system call, not two.
bool limit_socket_wait(int socket, int64_t milliseconds) {
  const timeval limit{.tv_sec = milliseconds / 1000, .tv_usec = milliseconds % 1000 * 1000};
  return ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0;
}

// False when the deadline passed.
bool poll_until(int fd, short events, int64_t deadline) {
  for (;;) {
    pollfd waiting{fd, events, 0};
    const int64_t left = std::clamp<int64_t>(deadline - now_milliseconds(), 0, 1 << 30);
    const int ready = ::poll(&waiting, 1, static_cast<int>(left));
    if (ready >= 0 || errno != EINTR) return ready != 0;
  }
}

}  // namespace

Client::Client(int in, int out, const ClientLimits& limits, std::function<void()> on_quiet)
    : in_(in), out_(out), limits_(limits), on_quiet_(std::move(on_quiet)), busy_since_(now_milliseconds()) {
  limit_wait();
}

void Client::limit_wait() {
  const int64_t session = std::max<int64_t>(limits_.session_deadline - now_milliseconds(), 1);
  socket_waits_ = limit_socket_wait(in_, std::min({kQuietMilliseconds, limits_.idle_milliseconds, session}));
}

size_t Client::throw_input_away() {
  const size_t bytes = end_ - begin_;
  begin_ = end_ = 0;
  passed_over_bytes_ = 0;
  passing_over_ = false;
  return bytes;
}

Result<void> Client::go_on_over(int in, int out) {
  if (::dup2(in, in_) < 0 || ::dup2(out, out_) < 0) return os_failure("go on over another socket", errno);
  throw_input_away();
  remote_ = true;
  limit_wait();
  return {};
}

CommandLine Client::next_line() {
  // What has come already is no reason to go on: 64 KiB of commands may take an hour.
  if (gone_) return {LineKind::no_more, {}, Came::end_of_file};
  if (now_milliseconds() >= limits_.session_deadline) return {LineKind::no_more, {}, Came::session_too_long};
  size_t searched = 0;
  for (;;) {
    if (!passing_over_ || pass_over_line()) {
      const std::string_view input = buffered();
      if (const size_t end = input.find('\n', searched); end != std::string_view::npos)
        return line_ending_at(end);
      if (input.size() >= limits_.command_bytes) {
        passing_over_ = true;
        return {LineKind::too_long, {}};
      }
      searched = input.size();
    } else if (passed_over_bytes_ > kPassOverLimitBytes) {
      return {LineKind::endless, {}};
    }
    if (const Came came = read_more(); came != Came::bytes) return {LineKind::no_more, {}, came};
  }
}

// A command that ends with LF alone is refused at once, and what stands behind that LF is not taken for the
// next command: whoever sees line ends where we do not must gain nothing by it.
CommandLine Client::line_ending_at(size_t line_feed) {
  const std::string_view input = buffered();
  take(line_feed + 1);
  waited_ = 0;
  bytes_since_ = 0;
  if (line_feed == 0 || input[line_feed - 1] != '\r') {
    passing_over_ = true;
    return {LineKind::bare_line_feed, {}};
  }
  if (line_feed + 1 > limits_.command_bytes) return {LineKind::too_long, {}};
  return {LineKind::command, input.substr(0, line_feed - 1)};
}

// Up to and with the next CR LF; false when there is none yet. A CR that came last is kept: its LF may
// follow.
bool Client::pass_over_line() {
  const std::string_view input = buffered();
  const size_t end = input.find("\r\n");
  const size_t length =
      end != std::string_view::npos ? end + 2 : input.size() - (input.ends_with('\r') ? 1 : 0);
  take(length);
  passed_over_bytes_ += length;
  if (end == std::string_view::npos) return false;
  passing_over_ = false;
  passed_over_bytes_ = 0;
  return true;
}

Came Client::wait() {
  return begin_ == end_ ? read_more() : Came::bytes;
}

Came Client::read_more() {
  flush();
  if (gone_) return Came::end_of_file;
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  const int64_t start = now_milliseconds();
  const int64_t deadline = patience_end(start, Stress::none);
  const Came too_late = limits_.session_deadline <= deadline ? Came::session_too_long : Came::idle_too_long;
  if (start >= deadline) return too_late;
  if (waited_ >= kLeastWaited && start >= patience_end(start, stress())) return Came::idle_too_long;
  bool quiet = false;
  for (;;) {
    if (quiet && !ready(in_, POLLIN, start))
      return now_milliseconds() >= deadline ? too_late : Came::idle_too_long;
    const bool came =
        quiet || socket_waits_ || poll_until(in_, POLLIN, std::min(deadline, start + kQuietMilliseconds));
    const ssize_t got = came ? ::read(in_, buffer_.data() + end_, buffer_.size() - end_) : -1;
    if (got > 0) {
      end_ += static_cast<size_t>(got);
      waited_since(start, static_cast<size_t>(got));
      return Came::bytes;
    }
    if (got == 0) return Came::end_of_file;
    if (came && errno == EINTR) continue;
    if (came && errno != EAGAIN) return Came::end_of_file;  // reset by the client, or as good as gone
    if (!quiet) on_quiet_();
    quiet = true;
  }
}

void Client::forget_taken() {
  ::explicit_bzero(buffer_.data(), begin_);
  ::explicit_bzero(buffer_.data() + end_, buffer_.size() - end_);
}

// When the client's time is over that we began to wait for at `start`.
int64_t Client::patience_end(int64_t start, Stress level) const {
  const int64_t end = std::min(start + limits_.idle_milliseconds, limits_.session_deadline);
  if (level == Stress::none) return end;
  const int64_t left = limits_.stress->patience(level) - waited_;
  return std::min(end, start + std::clamp<int64_t>(left, 0, limits_.idle_milliseconds));
}

// Waits for the client, and for places to get short meanwhile. False when its time is over.
bool Client::ready(int fd, short events, int64_t start) const {
  for (Stress level = stress();; level = stress()) {
    const int64_t left = patience_end(start, level) - now_milliseconds();
    std::array<pollfd, 3> waiting{pollfd{fd, events, 0}, pollfd{-1, POLLIN, 0}, pollfd{-1, POLLIN, 0}};
    if (limits_.stress != nullptr && level < Stress::many)
      waiting[1].fd = limits_.stress->descriptor(Stress::many);
    if (limits_.stress != nullptr && level < Stress::full)
      waiting[2].fd = limits_.stress->descriptor(Stress::full);
    const int count =
        ::poll(waiting.data(), waiting.size(), static_cast<int>(std::clamp<int64_t>(left, 0, 1 << 30)));
    if (waiting[0].revents != 0) return true;
    // They may have got free again.
    if (count == 0 && now_milliseconds() >= patience_end(start, stress())) return false;
  }
}

void Client::waited_since(int64_t start, size_t bytes) {
  busy_since_ = now_milliseconds();
  bytes_since_ += bytes;
  if (bytes_since_ < kProgressBytes) {
    waited_ += busy_since_ - start;
  } else {
    waited_ = 0;
    bytes_since_ = 0;
  }
}

void Client::say(std::string_view bytes) {
  replies_ += bytes;
  const bool late = now_milliseconds() - busy_since_ >= limits_.reply_milliseconds;
  if (late || replies_.size() > kRepliesLimitBytes) flush();
  if (late) on_quiet_();
}

void Client::flush() {
  std::string_view rest = replies_;
  if (rest.empty()) return;
  const int64_t now = now_milliseconds();
  const bool session_ends = now + kLastWordsMilliseconds > limits_.session_deadline;
  const int64_t last_words = now + std::min(kLastWordsMilliseconds, limits_.idle_milliseconds);
  while (!gone_ && !rest.empty()) {
    ssize_t wrote = ::send(out_, rest.data(), rest.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (wrote < 0 && errno == ENOTSOCK) wrote = ::write(out_, rest.data(), rest.size());
    if (wrote >= 0) {
      rest.remove_prefix(static_cast<size_t>(wrote));
    } else if (errno == EAGAIN) {
      gone_ = !(session_ends ? poll_until(out_, POLLOUT, last_words) : ready(out_, POLLOUT, now));
    } else if (errno != EINTR) {
      gone_ = true;
    }
  }
  replies_.clear();
  busy_since_ = now_milliseconds();
}

void Client::refuse() {
  replies_.clear();
  gone_ = true;
  const linger none{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(in_, SOL_SOCKET, SO_LINGER, &none, sizeof none);
}

void Client::pause(int64_t milliseconds) {
  flush();
  on_quiet_();
  const int64_t end = std::min(now_milliseconds() + milliseconds, limits_.session_deadline);
  if (!gone_) (void)poll_until(in_, 0, end);  // 0: wakes when both directions are closed, or on a reset
}

bool Client::talks_within(int64_t milliseconds) {
  const int64_t end = std::min(now_milliseconds() + milliseconds, limits_.session_deadline);
  if (begin_ != end_) return true;
  char byte = 0;
  // One that has hung up says nothing; what is no socket cannot be asked, and is taken for talking.
  return poll_until(in_, POLLIN, end) && ::recv(in_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) != 0;
}

void Client::hang_up() {
  flush();
  if (gone_ || ::shutdown(out_, SHUT_WR) < 0) return;
  const int64_t deadline =
      now_milliseconds() + (stress() == Stress::none ? kLastWordsMilliseconds : kLastWordsUnderStress);
  for (size_t passed = 0; passed < kLastInputLimitBytes && poll_until(in_, POLLIN, deadline);) {
    const ssize_t got = ::read(in_, buffer_.data(), buffer_.size());
    if (got <= 0) return;
    passed += static_cast<size_t>(got);
  }
}

}  // namespace postern::smtpd
