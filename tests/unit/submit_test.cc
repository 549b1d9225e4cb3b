#include "lib/submit.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <string>

#include "lib/child.h"
#include "scratch.h"

using namespace postern;
using namespace std::string_literals;

TEST_CASE("each exit code of the queue interface has one reply") {
  struct Row {
    int exit_code;
    const char* code;
    const char* status;
  };
  const Row rows[] = {
      {0, "250", "2.0.0"},   {11, "554", "5.1.3"},  {31, "554", "5.7.1"},  {51, "451", "4.3.0"},
      {52, "451", "4.3.0"},  {53, "451", "4.3.1"},  {54, "451", "4.3.0"},  {55, "451", "4.3.5"},
      {56, "451", "4.3.0"},  {61, "451", "4.3.0"},  {62, "451", "4.3.0"},  {63, "451", "4.3.0"},
      {64, "451", "4.3.0"},  {65, "451", "4.3.0"},  {66, "451", "4.3.0"},  {71, "451", "4.4.1"},
      {72, "451", "4.4.1"},  {73, "451", "4.4.1"},  {74, "451", "4.4.2"},  {81, "451", "4.3.0"},
      {91, "451", "4.3.0"},  {120, "451", "4.3.5"}, {12, "554", "5.3.0"},  {30, "554", "5.3.0"},
      {40, "554", "5.3.0"},  {1, "451", "4.3.0"},   {10, "451", "4.3.0"},  {41, "451", "4.3.0"},
      {100, "451", "4.3.0"}, {111, "451", "4.3.0"}, {255, "451", "4.3.0"}, {-1, "451", "4.3.0"},
      {256, "451", "4.3.0"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.exit_code);
    const SmtpReply reply = queue_reply({.exit_code = row.exit_code, .reason = "D554 5.7.1 not looked at"});
    CHECK(reply.code == row.code);
    CHECK(reply.status == row.status);
    CHECK_FALSE(reply.text.empty());
    CHECK(reply.code[0] == reply.status[0]);
    CHECK(reply.text.find("not looked at") == std::string::npos);
  }
}

TEST_CASE("no exit code but 0 is a yes, and 11 to 40 alone a never") {
  for (int code = 0; code < 256; ++code) {
    if (code == 82) continue;
    CAPTURE(code);
    const SmtpReply reply = queue_reply({.exit_code = code, .reason = ""});
    CHECK(reply.accepted() == (code == 0));
    CHECK(reply.permanent() == (code >= 11 && code <= 40));
  }
}

TEST_CASE("a reason is read with code and status where their class agrees with its letter") {
  struct Row {
    std::string reason, line;
  };
  const Row rows[] = {
      {"D554 5.7.1 no thanks", "554 5.7.1 no thanks"},
      {"Z451 4.7.1 later", "451 4.7.1 later"},
      {"D550 no status", "550 5.3.0 no status"},
      {"D5.7.1 no code", "554 5.7.1 no code"},
      {"Z4.7.0 no code", "451 4.7.0 no code"},
      {"D only text", "554 5.3.0 only text"},
      {"Zonly text", "451 4.3.0 only text"},
      {"D451 4.7.1 disagrees", "554 5.3.0 451 4.7.1 disagrees"},
      {"D554 4.7.1 half", "554 5.3.0 4.7.1 half"},
      {"Z554 5.7.1 disagrees", "451 4.3.0 554 5.7.1 disagrees"},
      {"Z421 5.7.1 half", "421 4.3.0 5.7.1 half"},
      {"D250 2.0.0 ok", "554 5.3.0 250 2.0.0 ok"},
      {"Z250 ok", "451 4.3.0 250 ok"},
      {"Xno letter", "451 4.3.0 Xno letter"},
      {"554 5.7.1 no letter", "451 4.3.0 554 5.7.1 no letter"},
      {"d554 small", "451 4.3.0 d554 small"},
      {"", "451 4.3.0 a temporary fault inside"},
      {"D", "554 5.3.0 the message was refused"},
      {"Z", "451 4.3.0 a temporary fault inside"},
      {"D554 5.7.1", "554 5.7.1 the message was refused"},
      {"D5544 5.7.1 x", "554 5.3.0 5544 5.7.1 x"},
      {"D55 x", "554 5.3.0 55 x"},
      {"D55a x", "554 5.3.0 55a x"},
      {"D554 5.7 x", "554 5.3.0 5.7 x"},
      {"D554 5.7.1.2 x", "554 5.3.0 5.7.1.2 x"},
      {"D554 5.7. x", "554 5.3.0 5.7. x"},
      {"D554 5.1000.1 x", "554 5.3.0 5.1000.1 x"},
      {"D554 5.7.1 a\r\n250 ok", "554 5.7.1 a\\x0d\\x0a250 ok"},
      {"D554\r\n5.7.1 x", "554 5.3.0 554\\x0d\\x0a5.7.1 x"},
      {"D\r\n", "554 5.3.0 the message was refused"},
      {"D554 5.7.1 \xff\0"s, "554 5.7.1 \\xff\\x00"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.reason);
    const SmtpReply reply = queue_reply({.exit_code = 82, .reason = row.reason});
    CHECK(reply.line() == row.line);
    CHECK(reply.permanent() == row.reason.starts_with('D'));
    CHECK_FALSE(reply.accepted());
  }
  CHECK(queue_reply({.exit_code = 82, .reason = "D" + std::string(100000, 'x')}).text.size() < 2000);
}

TEST_CASE("a refusal that was written as a reason is read as the same refusal") {
  for (const SmtpReply& reply :
       {SmtpReply{"554", "5.7.1", "no"}, {"451", "4.3.0", "later"}, {"421", "4.4.5", "busy"}}) {
    CAPTURE(reply.line());
    CHECK(queue_reply({.exit_code = 82, .reason = queue_reason(reply)}).line() == reply.line());
  }
  CHECK(queue_reason({"554", "5.7.1", "no"}) == "D554 5.7.1 no");
}

TEST_CASE("a failure has the exit code that it names, else one of its kind") {
  CHECK(queue_exit_code(temporary("x", 53)) == 53);
  CHECK(queue_exit_code(permanent("x", 11)) == 11);
  CHECK(queue_exit_code(temporary("x")) == 81);
  CHECK(queue_exit_code(permanent("x")) == 31);
}

TEST_CASE("a message is handed over with envelope, extras and variables, from its start") {
  const ScratchHome home;
  const std::string script =
      home.write("queue", "cat > " + home.path("message") + "\ncat <&1 > " + home.path("envelope") +
                              "\ntest -z \"$POSTERN_EXTRAS\" || cat <&5 > " + home.path("extras") +
                              "\nenv | grep -c -e SECRET > " + home.path("secrets") +
                              "\necho \"$POSTERN_MID\" > " + home.path("mid") + "\n");
  Envelope envelope;
  envelope.sender = "a@example.org";
  envelope.recipients = {{"b@example.net", "", ""}};
  Environment environment;
  environment.set("POSTERN_MID", "17");
  environment.set("SECRET", "x");
  environment.set("POSTERN_EXTRAS", "5");  // of the request before: must not be passed on
  const Fd message = memory_with("Subject: x\n\nbody\n");
  ::lseek(message.get(), 5, SEEK_SET);
  const size_t before = open_descriptors();
  const auto hand_over = [&]() {
    return submit("/bin/sh " + script, message.get(), envelope, environment, now_milliseconds() + 20000);
  };
  CHECK(hand_over().exit_code == 0);
  CHECK(home.read("message") == "Subject: x\n\nbody\n");
  CHECK(home.read("envelope") == "Fa@example.org\0Tb@example.net\0\0"s);
  CHECK(home.read("extras") == "(no such file)");
  CHECK(home.read("mid") == "17\n");
  CHECK(home.read("secrets") == "0\n");

  envelope.recipients[0].notify = "NEVER";
  CHECK(hand_over().exit_code == 0);
  CHECK(home.read("message") == "Subject: x\n\nbody\n");
  CHECK(home.read("extras") == "tb@example.net\0nNEVER\0"s);
  CHECK(open_descriptors() == before);
}

TEST_CASE("what a queue program answers is taken as it is, and what it does not is temporary") {
  const ScratchHome home;
  struct Row {
    const char* script;
    int exit_code;
    const char* reply;
  };
  const Row rows[] = {
      {"exit 0", 0, "250 2.0.0 ok"},
      {"printf 'D554 5.7.1 no' >&6; exit 82", 82, "554 5.7.1 no"},
      {"printf 'D554 5.7.1 no' >&6; exit 31", 31, "554 5.7.1 the message was refused"},
      {"printf 'D554 5.7.1 no' >&6; exit 0", 0, "250 2.0.0 ok"},
      {"exit 82", 82, "451 4.3.0 a temporary fault inside"},
      {"exit 53", 53, "451 4.3.1 unable to write the message: no room, or a disk error"},
      {"kill -9 $$", 56, "451 4.3.0 a service inside does not answer"},
  };
  const Fd message = memory_with("x\n");
  Envelope envelope;
  envelope.recipients = {{"b@example.net", "", ""}};
  for (const Row& row : rows) {
    CAPTURE(row.script);
    const std::string setting = "/bin/sh " + home.write("queue", row.script);
    const QueueAnswer answer = submit(setting, message.get(), envelope, {}, now_milliseconds() + 20000);
    CHECK(answer.exit_code == row.exit_code);
    CHECK(queue_reply(answer).line() == row.reply);
  }
  const std::string flood =
      "/bin/sh " + home.write("queue", "{ printf D; head -c 100000 /dev/zero | tr '\\0' x; } >&6; exit 82");
  CHECK(submit(flood, message.get(), envelope, {}, now_milliseconds() + 20000).reason.size() == 1000);
  CHECK(submit(home.path("missing"), message.get(), envelope, {}, now_milliseconds() + 20000).exit_code ==
        120);
  CHECK(submit("", message.get(), envelope, {}, now_milliseconds() + 20000).exit_code == 55);
  CHECK(submit("@nobody", message.get(), envelope, {}, now_milliseconds() + 100).exit_code == 56);
}
