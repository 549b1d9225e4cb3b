// The connection to the client: one buffer in, one buffer out. Replies wait until we would wait for input
// ourselves, so that a pipelined group of commands (RFC 2920) is answered with one write(2). But a client's
// five minutes run for each of them (RFC 5321, 4.5.3.2.3): once a group takes long, each goes out at once.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "lib/result.h"
#include "smtpd/stress.h"

namespace postern::smtpd {

constexpr size_t kInputBufferBytes = 65536;
constexpr size_t kProgressBytes = 4096;
// RFC 5321, 4.5.3.1.4: at least this must be taken, with CR LF.
constexpr size_t kLeastCommandBytes = 512;
constexpr size_t kMostCommandBytes = 32768;  // the buffer must hold one, and input behind it

struct ClientLimits {
  int64_t idle_milliseconds;
  int64_t session_deadline;  // now_milliseconds()
  size_t command_bytes;      // of a command line with CR LF, kLeastCommandBytes to kMostCommandBytes
  // While places are short, a client that neither ends a command nor sends kProgressBytes within the sign's
  // patience, all its pauses added up, has been idle for too long. It must outlive the client.
  const StressSign* stress = nullptr;
  int64_t reply_milliseconds = 1000;  // that replies of a group may wait for each other
};

enum class Came : uint8_t { bytes, end_of_file, idle_too_long, session_too_long };

enum class LineKind : uint8_t {
  command,
  bare_line_feed,  // and everything up to the next CR LF will be passed over
  too_long,        // the same
  endless,         // what was passed over did not end
  no_more,         // why is in `came`
};

struct CommandLine {
  LineKind kind;
  std::string_view text;  // without CR LF; until the next call
  Came came = Came::bytes;
};

class Client {
 public:
  // `on_quiet` is called when the client lets us wait for a while, or we let it: a time for what is not
  // urgent.
  Client(int in, int out, const ClientLimits& limits, std::function<void()> on_quiet);

  CommandLine next_line();

  // For the message: what has come and was not taken yet; wait() until there is something.
  [[nodiscard]] std::string_view buffered() const { return {buffer_.data() + begin_, end_ - begin_}; }
  void take(size_t length) { begin_ += length; }
  // A network client has sent more than it may have. What is fed from a file or a pipe never waits for
  // anybody.
  [[nodiscard]] bool is_ahead() const { return (socket_waits_ || remote_) && begin_ != end_; }
  Came wait();

  // Overwrites what was taken: there was a password in it. Views into it end.
  void forget_taken();

  void say(std::string_view bytes);
  void flush();
  // Forgets what has come and was not taken; how many bytes.
  size_t throw_input_away();
  // From now on the conversation goes over these: they take the place of the descriptors that it began with,
  // which are closed with it. Both stay their caller's.
  Result<void> go_on_over(int in, int out);
  // The connection itself, to be handed to whoever goes on with it.
  [[nodiscard]] int descriptor() const { return in_; }
  // Lets the client wait; what was said before goes out first. At most to the end of the session, and no
  // longer than the connection is there.
  void pause(int64_t milliseconds);
  // Does the client send something before that time is over?
  [[nodiscard]] bool talks_within(int64_t milliseconds);
  // Says the rest, and lets the client read it although it may still be sending: closing with unread input
  // would reset the connection and take the last reply away.
  void hang_up();
  // Without a word: the client's system says "connection refused" or "reset", when the process ends.
  void refuse();

 private:
  void limit_wait();
  [[nodiscard]] Stress stress() const {
    return limits_.stress == nullptr ? Stress::none : limits_.stress->level();
  }
  [[nodiscard]] int64_t patience_end(int64_t start, Stress level) const;
  [[nodiscard]] bool ready(int fd, short events, int64_t start) const;
  void waited_since(int64_t start, size_t bytes);
  Came read_more();
  CommandLine line_ending_at(size_t line_feed);
  bool pass_over_line();

  std::array<char, kInputBufferBytes> buffer_;
  size_t begin_ = 0;
  size_t end_ = 0;
  int in_;
  int out_;
  ClientLimits limits_;
  std::function<void()> on_quiet_;
  std::string replies_;
  size_t passed_over_bytes_ = 0;
  int64_t busy_since_;      // when input came last, or replies went out
  int64_t waited_ = 0;      // milliseconds, since the client's last progress
  size_t bytes_since_ = 0;  // since then
  bool passing_over_ = false;
  bool remote_ = false;        // whatever descriptor it comes by
  bool socket_waits_ = false;  // read(2) itself comes back after the quiet time
  bool gone_ = false;
};

}  // namespace postern::smtpd
