#include "inject/incoming.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <string>

#include "scratch.h"

using namespace postern;
using namespace postern::inject;

namespace {

PickupSettings some_settings() {
  PickupSettings settings;
  settings.me = "mx.example.org";
  return settings;
}

std::string checked(const std::string& sender, const std::string& recipient) {
  Envelope envelope;
  envelope.sender = sender;
  envelope.recipients.push_back({.address = recipient, .notify = {}, .orcpt = {}});
  const SmtpReply reply = check_envelope(envelope, "MX.example.org");
  return reply.accepted() ? envelope.sender + " " + envelope.recipients.front().address : reply.status;
}

std::string copied(const std::string& text, const PickupSettings& settings) {
  Result<Fd> from = memory_file_with("from", text);
  REQUIRE(from.ok());
  const OwnMessage message = copy_message(from->get(), "R: x\n", settings);
  if (!message.reply.accepted()) return message.reply.status;
  CHECK(is_sealed(message.file.get()));
  Result<std::string> whole = read_whole(message.file.get(), 1 << 26, "read");
  REQUIRE(whole.ok());
  CHECK(whole->size() == message.size_bytes);
  return *whole;
}

}  // namespace

TEST_CASE("a user who may not hand mail in is refused, but his forwards wait") {
  CHECK(refusal_of_user(12, {}).line().starts_with("550 5.7.1 user 12 may not"));
  CHECK(refusal_of_user(12, {.mid = "", .parent = "34"}).line().starts_with("451 4.7.1 user 12 may not"));
}

TEST_CASE("recipients are counted, but those of forwards are not") {
  Envelope envelope;
  envelope.recipients.resize(3);
  CHECK(check_number(envelope, {}, 3).accepted());
  CHECK(check_number(envelope, {}, 2).line().starts_with("554 5.5.3 "));
  CHECK(check_number(envelope, {.mid = "", .parent = "34"}, 2).accepted());
}

TEST_CASE("a user's word on himself does not go on, but for the number of a parent") {
  Environment environment;
  for (const char* name : {"POSTERN_SKIP", "POSTERN_RELEASED", "POSTERN_DIRECTION", "POSTERN_AUTH",
                           "POSTERN_LISTENER", "TCPREMOTEIP", "RELAYCLIENT", "POSTERN_TAG_X"})
    environment.set(name, "faked");
  environment.set("POSTERN_MID", "12");
  environment.set("POSTERN_PARENT_MID", "34");
  const Claims claims = claims_of(environment);
  CHECK(claims.mid == "12");
  CHECK(claims.parent == "34");
  const Environment onward = message_environment(99, claims);
  CHECK(onward.pairs().size() == 5);
  CHECK(onward.get("POSTERN_MID") == "99");
  CHECK(onward.get("POSTERN_LISTENER") == "local");
  CHECK(onward.get("RELAYCLIENT") == "");
  CHECK(onward.get("POSTERN_PARENT_MID") == "34");
  CHECK(onward.get("POSTERN_DEFERRED") == "1");
  environment.set("POSTERN_PARENT_MID", "34\nInfo: x");
  CHECK(claims_of(environment).parent.empty());
  // What takes a right away may be said by anybody.
  for (const auto& [value, kept] : {std::pair{"no", true}, {"yes", false}, {"", false}}) {
    environment.set("POSTERN_SIGN", value);
    CHECK((message_environment(99, claims_of(environment)).get("POSTERN_SIGN") == "no") == kept);
  }
  CHECK(message_environment(1, claims_of({})).pairs().size() == 3);
}

TEST_CASE("an envelope is completed with control/me, and what cannot be an address is refused") {
  CHECK(checked("", "a@b.c") == " a@b.c");
  CHECK(checked("x", "root") == "x@mx.example.org root@mx.example.org");
  CHECK(checked("#@[]", "a@b.c") == "#@[] a@b.c");
  CHECK(checked("list-@x.y-@[]", "a@b.c") == "list-@x.y-@[] a@b.c");
  CHECK(checked("x@y", "\"a b\"@c") == "x@y \"a b\"@c");
  CHECK(checked("x@y", "j\xc3\xb6@\xc3\xbc.c") == "x@y j\xc3\xb6@\xc3\xbc.c");
  for (const char* bad : {"", "@b", "a@", "a\n@b", "a@b\r", "a@b c", "a@b>", "a\x7f@b"}) {
    CAPTURE(bad);
    CHECK(checked("x@y", bad) == "5.1.3");
    if (*bad != '\0') CHECK(checked(bad, "a@b") == "5.1.7");
  }
}

TEST_CASE("the copy has one kind of line ends, our line in front, and our limits") {
  PickupSettings settings = some_settings();
  CHECK(copied("a\r\nb\rc\n", settings) == "R: x\na\nb\nc\n");
  CHECK(copied("", settings) == "R: x\n");
  const std::string zero("a\0b\n", 4);
  CHECK(copied(zero, settings) == "R: x\n" + zero);
  const std::string long_line(1 << 20, 'x');
  CHECK(copied(long_line, settings) == "R: x\n" + long_line);
  settings.message_limit_bytes = 13;  // R: x CR LF, a b c d CR LF: 12
  CHECK(copied("abcd\n", settings) == "R: x\nabcd\n");
  CHECK(copied("abcdefgh\n", settings) == "5.3.4");
  settings.message_limit_bytes = 0;
  std::string hops;
  for (int i = 0; i < 99; ++i) hops += "Received: x\n";
  CHECK(copied(hops + "\n", settings) == "R: x\n" + hops + "\n");
  CHECK(copied(hops + "received: y\n\n", settings) == "5.4.6");
  settings.least_free_mib = UINT64_MAX >> 20;
  CHECK(copied("small\n", settings) == "R: x\nsmall\n");
  CHECK(copied(std::string(8 << 20, 'x'), settings) == "4.3.1");
}

TEST_CASE("a pipe is read to its end, a file from its start") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  REQUIRE(write_all(ends[1], "hello\n", "write").ok());
  ::close(ends[1]);
  const OwnMessage message = copy_message(ends[0], "", some_settings());
  CHECK(message.size_bytes == 6);
  ::close(ends[0]);
  CHECK(copy_message(-1, "", some_settings()).reply.code == "451");
}

TEST_CASE("settings of pickup name the users who may, and the file that is wrong") {
  const ScratchHome home;
  Result<PickupSettings> settings = read_pickup_settings();
  REQUIRE(settings.ok());
  CHECK(settings->everybody);
  CHECK(settings->may(12345));
  CHECK(settings->turns.serving == 10);
  CHECK(settings->turns.serving_of_user == 5);
  home.write("control/pickupusers", "# who\nroot\n4711\n");
  home.write("control/concurrencypickup", "1\n");
  settings = read_pickup_settings();
  REQUIRE(settings.ok());
  CHECK(settings->may(0));
  CHECK(settings->may(4711));
  CHECK_FALSE(settings->may(12345));
  CHECK(settings->turns.serving_of_user == 1);
  home.write("control/pickupusers", "");
  CHECK_FALSE(read_pickup_settings()->may(0));
  home.write("control/pickupusers", "no such user\n");
  CHECK(read_pickup_settings().failure().text.find(
            "control/pickupusers: there is no user \"no such user\"") != std::string::npos);
}

TEST_CASE("our Received: line names the user, the host and the mid") {
  const std::string line = received_line(1000, 4711, "mx.example.org");
  CHECK(line.starts_with("Received: (invoked by uid 1000)\n  by mx.example.org with local id 4711;\n  "));
  CHECK(line.ends_with(" +0000\n"));
}
