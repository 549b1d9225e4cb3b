#include "local/program_line.h"

#include <doctest/doctest.h>
#include <sys/resource.h>

#include <string>

#include "lib/child.h"
#include "local/mailbox.h"
#include "tests/unit/scratch.h"

using namespace postern;

namespace {

std::string judged(int code, std::string_view output) {
  Result<ProgramEnd> end = judge_program(code, output);
  if (end) return *end == ProgramEnd::done ? "done" : "stop";
  return std::string(end.failure().permanent() ? "never " : "later ") + end.failure().status + " " +
         end.failure().text;
}

}  // namespace

TEST_CASE("exit codes of programs mean what qmail-command(8) says") {
  CHECK(judged(0, "anything") == "done");
  CHECK(judged(99, "") == "stop");
  for (const int code : {100, 64, 65, 70, 76, 77, 78, 112})
    CHECK(judged(code, "").starts_with("never 5.3.0 "));
  for (const int code : {111, 1, 2, 75, 126, 127, 255}) CHECK(judged(code, "").starts_with("later 4.3.0 "));
}

TEST_CASE("what a failing program printed is bounded, printable, and may name its status") {
  CHECK(judged(100, "5.2.2 the mailbox is full\n") ==
        "never 5.2.2 a program of its owner refused this message: the mailbox is full");
  CHECK(judged(100, "full. (#5.2.2)").starts_with("never 5.2.2 "));
  CHECK(judged(111, "4.2.2 full").starts_with("later 4.2.2 "));
  CHECK(judged(100, "4.2.2 full") == "never 5.3.0 a program of its owner refused this message: 4.2.2 full");
  CHECK(judged(111, "5.2.2 full").starts_with("later 4.3.0 "));
  CHECK(judged(100, "5.2 x").starts_with("never 5.3.0 "));
  CHECK(judged(100, "5.2.2222 x").starts_with("never 5.2.222 "));
  CHECK(judged(100, "a\nb\x01\x80").ends_with(": a b\\x01\\x80"));
  CHECK(judged(100, std::string(100000, 'x')).size() < kProgramOutputBytes + 200);
}

TEST_CASE("a program's environment cuts extensions and hosts as qmail-command(8) does") {
  MailboxDelivery delivery;
  delivery.user = "joe";
  delivery.home = "/home/joe";
  delivery.local = "joe-a-b-c-d";
  delivery.ext = "a-b-c-d";
  delivery.domain = "x.y.example.org";
  delivery.sender = "s@t";
  const Environment environment = program_environment(delivery, "n@t", std::string("c-d"));
  const auto value = [&](std::string_view name) { return environment.get_or(name, "(none)"); };
  CHECK(value("EXT2") == "b-c-d");
  CHECK(value("EXT3") == "c-d");
  CHECK(value("EXT4") == "d");
  CHECK(value("HOST2") == "x.y.example");
  CHECK(value("HOST3") == "x.y");
  CHECK(value("HOST4") == "x");
  CHECK(value("DEFAULT") == "c-d");
  CHECK(value("RECIPIENT") == "joe-a-b-c-d@x.y.example.org");
  CHECK(value("DTLINE") == "Delivered-To: joe-a-b-c-d@x.y.example.org\n");
  CHECK(value("UFLINE").starts_with("From s@t "));
  CHECK(program_environment(delivery, "n@t", std::nullopt).get_or("DEFAULT", "(none)") == "(none)");
}

TEST_CASE("a program that takes too long is ended, and its own children too") {
  const Fd message = memory_with("x\n");
  REQUIRE(seal(message.get()).ok());
  Result<ProgramEnd> end = run_program_line("sleep 1000 & sleep 1000", Environment::of_process(),
                                            message.get(), now_milliseconds() + 100, UINT64_MAX);
  REQUIRE_FALSE(end.ok());
  CHECK_FALSE(end.failure().permanent());
  CHECK(end.failure().text.find("took too long") != std::string::npos);
}

TEST_CASE("each program reads the message from its beginning and cannot change it") {
  const Fd message = memory_with("one\ntwo\n");
  REQUIRE(seal(message.get()).ok());
  for (int i = 0; i < 2; ++i) {
    Result<ProgramEnd> end =
        run_program_line("read a; [ \"$a\" = one ] && ! echo x >&0", Environment::of_process(), message.get(),
                         now_milliseconds() + 10000, UINT64_MAX);
    CHECK(end.ok());
  }
  CHECK(content_of(message.get()) == "one\ntwo\n");
}

TEST_CASE("our own soft limit of memory is not a program's, and the one that is set is") {
  const Fd message = memory_with("x\n");
  REQUIRE(seal(message.get()).ok());
  const auto limit_of_program = [&](uint64_t memory_bytes) {
    Result<ProgramEnd> end = run_program_line("ulimit -S -v; exit 111", Environment::of_process(),
                                              message.get(), now_milliseconds() + 10000, memory_bytes);
    REQUIRE_FALSE(end.ok());
    return end.failure().text;
  };
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_AS, &before) == 0);
  const rlimit ours{.rlim_cur = rlim_t{64} << 40, .rlim_max = before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_AS, &ours) == 0);
  if (before.rlim_max == RLIM_INFINITY) CHECK(limit_of_program(UINT64_MAX).ends_with(": unlimited"));
  CHECK(limit_of_program(uint64_t{300} << 20).ends_with(": 307200"));
  CHECK(::setrlimit(RLIMIT_AS, &before) == 0);
}

TEST_CASE("a program that has ended is not waited for while its own child goes on printing") {
  const Fd message = memory_with("x\n");
  REQUIRE(seal(message.get()).ok());
  Result<ProgramEnd> end = run_program_line(
      "for i in 1 2 3; do cat /dev/zero & done; until [ \"$(cat /proc/$!/comm)\" = cat ]; do :; done; exit "
      "99",
      Environment::of_process(), message.get(), now_milliseconds() + 10000, UINT64_MAX);
  REQUIRE(end.ok());
  CHECK(*end == ProgramEnd::done_stop_here);
}
