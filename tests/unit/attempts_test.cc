#include "queue/attempts.h"

#include <sys/stat.h>

#include <doctest/doctest.h>

#include <string>

#include "scratch.h"

using namespace postern;
using namespace std::string_literals;

TEST_CASE("the last pass and each recipient's last reply are read") {
  const Attempts attempts =
      parse_attempts("r 0 first\nr 2 full mailbox\nt 1 100 160\nr 0 second try  said\nt 2 160 280\n");
  CHECK(attempts.tries == 2);
  CHECK(attempts.last == 160);
  CHECK(attempts.next == 280);
  REQUIRE(attempts.replies.size() == 2);
  CHECK(attempts.replies.at(0) == "second try  said");
  CHECK(attempts.replies.at(2) == "full mailbox");
}

TEST_CASE("lines that are broken are passed over") {
  for (const std::string& line : {""s,
                                  "t 1 2"s,
                                  "t 1 2 3 4 5"s,
                                  "t 1 2 3 x"s,
                                  "t x 2 3"s,
                                  "t -1 2 3"s,
                                  "t 1 2 99999999999999999999"s,
                                  "r 0"s,
                                  "r"s,
                                  "t"s,
                                  "w 1"s,
                                  "w x 2"s,
                                  "w 1 2 3"s,
                                  "w 1 x"s,
                                  "a 7 1 2"s,
                                  "a 7 1 2 x"s,
                                  "a 7 1 x ."s,
                                  "a 7 x 2 ."s,
                                  "a x 1 2 ."s,
                                  "a 7 1 99999999999999999999 ."s,
                                  "d 1"s,
                                  "d x relayed text"s,
                                  "n x"s,
                                  "n 1 2"s,
                                  "n 7"s,
                                  "n"s,
                                  "d"s,
                                  "r x text"s,
                                  "r -1 text"s,
                                  "rx 1 text"s,
                                  "u 1 2 3"s,
                                  "\0"s,
                                  "t\t1 2 3"s,
                                  "\xff\xfe"s,
                                  std::string(100000, 't')}) {
    CAPTURE(line.substr(0, 40));
    const Attempts attempts = parse_attempts("t 1 100 160\nr 7 kept\n" + line + "\n");
    CHECK(attempts.tries == 1);
    CHECK(attempts.next == 160);
    CHECK(attempts.replies.size() == 1);
    CHECK(attempts.replies.at(7) == "kept");
    CHECK(attempts.warned.empty());
    CHECK(attempts.untold.empty());
    CHECK(attempts.turns.empty());
  }
  CHECK(parse_attempts("t 1 100 160").tries == 0);  // cut short
  CHECK(parse_attempts("t 18446744073709551615 1 2\n").tries == 1000000);
}

TEST_CASE("what is appended is read back, and no reply forges a line") {
  const Scratch scratch;
  const std::string path = scratch.path("17");
  CHECK(read_attempts(path).tries == 0);
  Attempts pass;
  pass.tries = 1;
  pass.last = 100;
  pass.next = 160;
  pass.replies = {{0, "later\nt 9 9 9"}, {3, "full \xff"}};
  pass.warned = {{3, {.count = 1, .last = 100}}};
  pass.turns = {{4, {.tries = 7, .next = 1000}}};
  REQUIRE(append_successes(path, {{1, {"relayed", "2.0.0 ok\nn 1"}}, {2, {"delivered", ""}}}).ok());
  REQUIRE(append_attempt(path, pass, {2}).ok());
  pass = {};
  pass.tries = 2;
  pass.next = 160;
  pass.bytes = read_attempts(path).bytes;
  pass.replies = {{3, std::string(100000, 'x')}};
  REQUIRE(append_attempt(path, pass, {}).ok());
  const Attempts read = read_attempts(path);
  CHECK(read.tries == 2);
  CHECK(read.next == 160);
  CHECK(read.replies.at(0) == "later\\x0at 9 9 9");
  CHECK(read.replies.at(3).size() < 1100);
  CHECK(read.warned == std::map<size_t, Warnings>{{3, {.count = 1, .last = 100}}});
  CHECK(read.turn_of(4) == Turn{7, 1000});
  CHECK(read.turn_of(3) == Turn{2, 160});
  REQUIRE(read.untold.size() == 1);
  CHECK(read.untold.at(1).action == "relayed");
  CHECK(read.untold.at(1).text == "2.0.0 ok\\x0an 1");
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK(status.st_mtime == 160);
  CHECK_FALSE(append_attempt(scratch.path("no/such"), pass, {}).ok());
  CHECK_FALSE(append_successes(scratch.path("no/such"), {{1, {"relayed", ""}}}).ok());
}

TEST_CASE("a reply is written once, until it is another one") {
  const Scratch scratch;
  Attempts pass;
  pass.replies = {{0, "same\n"}, {1, "one"}};
  REQUIRE(append_attempt(scratch.path("17"), pass, {}).ok());
  pass.replies[1] = "two";
  REQUIRE(append_attempt(scratch.path("17"), pass, {}, read_attempts(scratch.path("17")).replies).ok());
  const std::string text = scratch.read("17");
  CHECK(text.find("r 0 ") == text.rfind("r 0 "));
  CHECK(read_attempts(scratch.path("17")).replies.at(1) == "two");
}

TEST_CASE("a line that a full disk has cut short takes no other with it, and tells of nobody else") {
  const Scratch scratch;
  const std::string path = scratch.write("17", "d 1 relayed ok\nd 12 relayed ok\nn 1");
  Attempts pass;
  pass.tries = 3;
  pass.next = 5;
  pass.replies = {{0, "later"}};
  REQUIRE(append_attempt(path, pass, {}).ok());
  REQUIRE(append_successes(path, {{2, {"delivered", "ok"}}}).ok());
  const Attempts read = read_attempts(path);
  CHECK(read.replies.at(0) == "later");
  CHECK(read.untold.size() == 3);
  scratch.write("17", "t 1 2");
  REQUIRE(append_successes(path, {{2, {"delivered", "ok"}}}).ok());
  CHECK(read_attempts(path).untold.contains(2));
}

TEST_CASE("an order that came during the pass makes a restart look at the message at once") {
  const Scratch scratch;
  const std::string path = scratch.path("17");
  Attempts pass;
  pass.next = 160;
  const auto time_of = [&] {
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    return status.st_mtime;
  };
  REQUIRE(append_attempt(path, pass, {}).ok());
  CHECK(time_of() == 160);
  pass.bytes = read_attempts(path).bytes;
  REQUIRE(append_attempt(path, pass, {}).ok());
  CHECK(time_of() == 160);
  pass.bytes = read_attempts(path).bytes;
  scratch.write("17", scratch.read("17") + "\no flush 1 root 0 .\n");
  REQUIRE(append_attempt(path, pass, {}).ok());
  CHECK(time_of() == 0);
}

TEST_CASE("the orders that a pass has met are noted with it") {
  const Scratch scratch;
  const std::string path = scratch.path("17");
  Attempts now;
  now.flushes = 3;
  REQUIRE(append_attempt(path, now, {}).ok());
  CHECK(read_attempts(path).flushes == 3);
  now.flushes = 0;
  REQUIRE(append_attempt(path, now, {}).ok());
  CHECK(read_attempts(path).flushes == 0);
  CHECK_FALSE(read_defer_log(scratch.path("none"))->has_value());
  CHECK_FALSE(read_defer_log(scratch.path()).ok());
}

TEST_CASE(
    "the wait doubles from the third try on, up to the longest, never wraps around and is never nothing") {
  struct Row {
    uint64_t first, longest;
    unsigned tries;
    uint64_t wait;
  };
  const Row rows[] = {
      {60, 3600, 0, 60},
      {60, 3600, 1, 60},
      {60, 3600, 2, 60},
      {60, 3600, 3, 120},
      {60, 3600, 7, 1920},
      {60, 3600, 8, 3600},
      {60, 3600, 1000000, 3600},
      {7200, 3600, 1, 3600},
      {0, 3600, 5, 8},
      {60, 0, 3, 1},
      {1, UINT64_MAX, 65, 1ULL << 63},
      {1, UINT64_MAX, 66, UINT64_MAX},
      {60, UINT64_MAX, 1000000, UINT64_MAX},
  };
  for (const Row& row : rows) {
    CAPTURE(row.first);
    CAPTURE(row.longest);
    CAPTURE(row.tries);
    CHECK(wait_after({.first_wait = row.first, .longest_wait = row.longest}, row.tries) == row.wait);
  }
}
