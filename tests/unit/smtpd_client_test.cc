#include "smtpd/client.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "lib/child.h"
#include "lib/fd.h"

using namespace postern;
using namespace postern::smtpd;

namespace {

// Both ends of a connection; the far one is ours to play the client with.
struct Connection {
  explicit Connection(int64_t idle_milliseconds = 5000) {
    int ends[2] = {-1, -1};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    near.reset(ends[0]);
    far.reset(ends[1]);
    limits = {.idle_milliseconds = idle_milliseconds,
              .session_deadline = now_milliseconds() + 10000,
              .command_bytes = 1000};
  }
  void send(std::string_view bytes) { REQUIRE(write_all(far.get(), bytes, "send").ok()); }
  void end() { ::shutdown(far.get(), SHUT_WR); }
  std::string answers() {
    char bytes[4096];
    const ssize_t got = ::recv(far.get(), bytes, sizeof bytes, MSG_DONTWAIT);
    return got > 0 ? std::string(bytes, static_cast<size_t>(got)) : std::string();
  }
  Fd near;
  Fd far;
  ClientLimits limits{};
};

}  // namespace

TEST_CASE("commands end with CR LF, and what follows a bare LF is passed over up to the next CR LF") {
  Connection connection;
  connection.send("one\r\ntwo\nthree\nfour\r\nfi\rve\r\n\n\r\n\r\nlast");
  connection.end();
  Client client(connection.near.get(), connection.near.get(), connection.limits, [] {});
  CHECK(client.next_line().text == "one");
  CHECK(client.next_line().kind == LineKind::bare_line_feed);
  const CommandLine bare_cr = client.next_line();
  CHECK(bare_cr.kind == LineKind::command);
  CHECK(bare_cr.text == "fi\rve");
  CHECK(client.next_line().kind == LineKind::bare_line_feed);
  CHECK(client.next_line().text.empty());
  const CommandLine last = client.next_line();
  CHECK(last.kind == LineKind::no_more);
  CHECK(last.came == Came::end_of_file);
}

TEST_CASE("a line of 1000 bytes is read, a longer one refused and passed over") {
  for (const size_t length : {size_t{998}, size_t{999}, size_t{1000}, size_t{60000}}) {
    CAPTURE(length);
    Connection connection;
    connection.send(std::string(length, 'x') + "\r\nnext\r\n");
    Client client(connection.near.get(), connection.near.get(), connection.limits, [] {});
    const CommandLine line = client.next_line();
    CHECK(line.kind == (length <= 998 ? LineKind::command : LineKind::too_long));
    CHECK(client.next_line().text == "next");
  }
}

TEST_CASE("replies wait until there is nothing more to read") {
  Connection connection;
  connection.send("a\r\nb\r\n");
  Client client(connection.near.get(), connection.near.get(), connection.limits, [] {});
  CHECK(client.next_line().text == "a");
  client.say("1\r\n");
  CHECK(client.next_line().text == "b");
  client.say("2\r\n");
  CHECK(connection.answers().empty());
  connection.end();
  CHECK(client.next_line().kind == LineKind::no_more);
  CHECK(connection.answers() == "1\r\n2\r\n");
}

TEST_CASE("a reply that has taken long waits for no other, nor does the log") {
  Connection connection;
  connection.limits.reply_milliseconds = 0;
  connection.send("a\r\nb\r\n");
  int quiet = 0;
  Client client(connection.near.get(), connection.near.get(), connection.limits, [&] { ++quiet; });
  CHECK(client.next_line().text == "a");
  client.say("1\r\n");
  CHECK(connection.answers() == "1\r\n");
  CHECK(quiet == 1);
}

TEST_CASE("commands that have come already are not obeyed after the session's end, nor for who has gone") {
  Connection connection;
  connection.send("a\r\nb\r\n");
  connection.limits.session_deadline = now_milliseconds() + 50;
  Client client(connection.near.get(), connection.near.get(), connection.limits, [] {});
  CHECK(client.next_line().text == "a");
  std::this_thread::sleep_for(std::chrono::milliseconds(60));
  CHECK(client.next_line().came == Came::session_too_long);
  connection.limits.session_deadline = now_milliseconds() + 10000;
  connection.send("c\r\nd\r\n");
  Client left(connection.near.get(), connection.near.get(), connection.limits, [] {});
  CHECK(left.next_line().text == "c");
  connection.far.reset();
  left.say("1\r\n");
  left.flush();
  CHECK(left.next_line().came == Came::end_of_file);
}

TEST_CASE("a client is ahead when more has come, but a file or pipe never is") {
  Connection connection;
  connection.send("a\r\nb\r\n");
  Client client(connection.near.get(), connection.near.get(), connection.limits, [] {});
  CHECK(client.next_line().text == "a");
  CHECK(client.is_ahead());
  CHECK(client.next_line().text == "b");
  CHECK_FALSE(client.is_ahead());
  Result<Fd> file = memory_file_with("input", "a\r\nb\r\n");
  REQUIRE(file.ok());
  REQUIRE(::lseek(file->get(), 0, SEEK_SET) == 0);
  Client from_file(file->get(), file->get(), connection.limits, [] {});
  CHECK(from_file.next_line().text == "a");
  CHECK_FALSE(from_file.is_ahead());
}

TEST_CASE("a silent client is given up after the idle time") {
  Connection connection(50);
  unsigned quiet = 0;
  Client client(connection.near.get(), connection.near.get(), connection.limits, [&] { ++quiet; });
  CHECK(client.next_line().came == Came::idle_too_long);
  CHECK(quiet == 1);
}

TEST_CASE("a session ends at its deadline even when the client goes on talking") {
  Connection connection;
  connection.limits.session_deadline = now_milliseconds();
  connection.send("half a li");
  Client client(connection.near.get(), connection.near.get(), connection.limits, [] {});
  CHECK(client.next_line().came == Came::session_too_long);
}

TEST_CASE("a client that is gone is the end of its input") {
  Connection connection;
  Client client(connection.near.get(), connection.near.get(), connection.limits, [] {});
  connection.far.reset();
  client.say("nobody reads this\r\n");
  CHECK(client.next_line().came == Came::end_of_file);
}

TEST_CASE("pipes will do as a connection") {
  int in[2];
  int out[2];
  REQUIRE(::pipe2(in, O_CLOEXEC) == 0);
  REQUIRE(::pipe2(out, O_CLOEXEC) == 0);
  const Fd held[] = {Fd(in[0]), Fd(in[1]), Fd(out[0]), Fd(out[1])};
  Client client(
      in[0], out[1],
      {.idle_milliseconds = 50, .session_deadline = now_milliseconds() + 10000, .command_bytes = 1000},
      [] {});
  REQUIRE(write_all(in[1], "x\r\n", "send").ok());
  CHECK(client.next_line().text == "x");
  client.say("y\r\n");
  CHECK(client.next_line().came == Came::idle_too_long);
  char answer[8];
  CHECK(::read(out[0], answer, sizeof answer) == 3);
}

TEST_CASE("a silent client has less time once places are short, and is told at once when they get so") {
  Connection connection(60000);
  Result<StressSign> sign = StressSign::open(1000);
  REQUIRE(sign.ok());
  connection.limits.session_deadline = now_milliseconds() + 60000;
  connection.limits.stress = &*sign;
  bool quiet = false;
  Client client(connection.near.get(), connection.near.get(), connection.limits, [&] {
    quiet = true;
    sign->say(Stress::many);
  });
  const int64_t start = now_milliseconds();
  CHECK(client.next_line().came == Came::idle_too_long);
  CHECK(quiet);
  CHECK(now_milliseconds() - start < 50000);
}

TEST_CASE("bytes one at a time are no progress while places are short; without that they are enough") {
  for (const bool stressed : {true, false}) {
    CAPTURE(stressed);
    Connection connection(60000);
    Result<StressSign> sign = StressSign::open(1000);
    REQUIRE(sign.ok());
    if (stressed) sign->say(Stress::many);
    connection.limits.session_deadline = now_milliseconds() + 60000;
    connection.limits.stress = &*sign;
    Client client(connection.near.get(), connection.near.get(), connection.limits, [] {});
    std::thread slow([&] {
      for (int i = 0; i < 8; ++i) {
        std::this_thread::sleep_for(std::chrono::milliseconds(300));
        if (::send(connection.far.get(), "x", 1, MSG_NOSIGNAL) < 0) return;
      }
      (void)::send(connection.far.get(), "\r\n", 2, MSG_NOSIGNAL);
    });
    const CommandLine line = client.next_line();
    CHECK(line.kind == (stressed ? LineKind::no_more : LineKind::command));
    if (stressed) CHECK(line.came == Came::idle_too_long);
    connection.near.reset();
    slow.join();
  }
}
