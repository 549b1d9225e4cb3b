#include "scanq/apply.h"

#include <doctest/doctest.h>

#include <string>

#include "lib/text.h"
#include "scanq/score.h"
#include "scratch.h"

using namespace postern;
using namespace std::string_literals;

namespace {

constexpr const char* kMessage = "Subject: x\n\nbody\n";

Part some_part(const std::vector<std::string>& recipients = {"b@example.net"}) {
  Part part;
  part.mid = 17;
  part.message = memory_with(kMessage);
  REQUIRE(seal(part.message.get()).ok());
  part.envelope.sender = "a@example.org";
  for (const std::string& recipient : recipients)
    part.envelope.recipients.push_back({.address = recipient, .notify = {}, .orcpt = {}});
  part.environment.set("POSTERN_MID", "17");
  return part;
}

Result<Applied> apply_one(const Part& part, std::string_view verdict, std::string_view rewritten = "") {
  Result<std::vector<VerdictLine>> lines = parse_verdict(verdict);
  REQUIRE(lines.ok());
  return apply_verdict(part, "tested", *lines, memory_with(rewritten));
}

// The part as a verdict that counts leaves it.
Part applied(std::string_view verdict, std::string_view rewritten = "") {
  Result<Applied> result = apply_one(some_part({"b@example.net", "c@example.net"}), verdict, rewritten);
  if (!result) FAIL(result.failure().text);
  return std::move(result->part);
}

std::string recipients_of(const Envelope& envelope) {
  std::string all;
  for (const Recipient& recipient : envelope.recipients) all += recipient.address + " ";
  return all;
}

}  // namespace

TEST_CASE("final verbs decide and stop") {
  struct Row {
    const char* verdict;
    Fate fate;
    const char* reply;
    const char* reason;
  };
  const Row rows[] = {
      {"stop\n", Fate::deliver, "  ", ""},
      {"drop\tjunk\n", Fate::drop, "  ", "junk"},
      {"bounce\t5.1.1 nobody\n", Fate::bounce, "  ", "5.1.1 nobody"},
      {"reject\t554\t5.7.1 a virus\n", Fate::refuse, "554 5.7.1 a virus", ""},
      {"reject\t550\tno status\n", Fate::refuse, "550 5.3.0 no status", ""},
      {"reject\t451\t4.7.1 later\n", Fate::refuse, "451 4.7.1 later", ""},
      {"reject\t554\t4.7.1 disagrees\n", Fate::refuse, "554 5.3.0 4.7.1 disagrees", ""},
      {"reject\t554\ta\\r\\n250 ok\n", Fate::refuse, "554 5.3.0 a\\x0d\\x0a250 ok", ""},
      {"defer\t4.7.1 busy\n", Fate::refuse, "451 4.7.1 busy", ""},
      {"defer\t554 5.7.1 busy\n", Fate::refuse, "451 4.3.0 554 5.7.1 busy", ""},
      {"defer\t\n", Fate::refuse, "451 4.3.0 a temporary fault inside", ""},
      {"drop\ta\nbounce\tb\n", Fate::bounce, "  ", "b"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.verdict);
    const Part part = applied(row.verdict);
    CHECK(part.stopped);
    CHECK(part.decision.fate == row.fate);
    CHECK(part.decision.reply.line() == row.reply);
    CHECK(part.decision.reason == row.reason);
    if (row.fate != Fate::deliver) CHECK(part.decision.stage == "tested");
  }
}

TEST_CASE("a message may be marked for several quarantines, and later stages still run") {
  const Part part = applied(
      "quarantine\tVirus\tEicar "
      "found\nquarantine\tPolicy\tx\nquarantine\tVirus\tanother\nhold\t4102444800\tdaytime\n");
  CHECK_FALSE(part.stopped);
  CHECK(part.decision.fate == Fate::deliver);
  REQUIRE(part.decision.holds.size() == 3);
  CHECK(part.decision.holds[0].quarantine == "Virus");
  CHECK(part.decision.holds[0].reason == "another");
  CHECK(part.decision.holds[1].quarantine == "Policy");
  CHECK(part.decision.holds[2].quarantine == "Hold");
  CHECK(part.environment.get("POSTERN_HOLD_UNTIL") == "4102444800");
  const uint64_t now = now_microseconds() / 1000000;
  const std::optional<uint64_t> until =
      parse_number(*applied("hold\t+100\tx\n").environment.get("POSTERN_HOLD_UNTIL"));
  REQUIRE(until.has_value());
  CHECK(*until >= now + 100);
  CHECK(*until < now + 200);
}

TEST_CASE("what no quarantine could take is seen before anything is placed") {
  std::string many;
  std::string long_reasons;
  for (unsigned i = 0; i < 17; ++i) {
    if (i < 16) many += "quarantine\tQ" + std::to_string(i) + "\tx\n";
    long_reasons += "quarantine\tQ" + std::to_string(i % 15) + "\t" + std::string(2048, 'r') + "\n";
  }
  CHECK(applied(many).decision.holds.size() == 16);
  CHECK_FALSE(apply_one(some_part(), many + "hold\t+5\tx\n").ok());
  CHECK_FALSE(apply_one(some_part(), many + "bcc\tb@example.net\nquarantine\tOne more\tx\n").ok());
  CHECK(apply_one(some_part(), long_reasons).ok());
  CHECK_FALSE(apply_one(some_part(), long_reasons + "tag\tT\t" + std::string(19000, 't') + "\n").ok());
}

TEST_CASE("tags, skips, scores and what delivery is told are applied in order") {
  const Part part = applied(
      "tag\tA_1\tone\ntag\tA_1\ttwo\nskip\tantispam\nskip\tx\nskip\tx\nscore\t1.5\tBAD_FROM\tforged\n"
      "score\t-.25\tKNOWN\tx\nsource\t192.0.2.1\nbounce-profile\tslow\nlog\tseen\\n\n");
  CHECK(part.environment.get("POSTERN_TAG_A_1") == "two");
  CHECK(part.environment.get("POSTERN_SKIP") == "antispam x");
  CHECK(part.environment.get("POSTERN_SCORE") == "1.25");
  CHECK(part.environment.get("POSTERN_SYMBOLS") == "BAD_FROM=1.5 KNOWN=-0.25");
  CHECK(part.environment.get("POSTERN_SOURCE") == "192.0.2.1");
  CHECK(part.environment.get("POSTERN_BOUNCE_PROFILE") == "slow");
}

TEST_CASE("points are exact thousandths") {
  for (const auto& tried : {std::pair{"5", 5000},
                            {"-1.5", -1500},
                            {"+.25", 250},
                            {"0.1239", 123},
                            {"2.", 2000},
                            {"-0", 0},
                            {"999999.999", 999999999}}) {
    const auto& text = tried.first;
    const auto& value = tried.second;
    CAPTURE(text);
    CHECK(parse_points(text) == value);
  }
  for (const char* wrong :
       {"", ".", "-", "1e3", "1,5", "1.2.3", "--1", "1234567", "0x1", " 1", "1.1234567"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_points(wrong).has_value());
  }
  for (const char* text : {"5", "-1.5", "0.25", "0", "-0.001", "999999.999"})
    CHECK(format_points(*parse_points(text)) == text);
  Environment environment;
  for (int i = 0; i < 3000; ++i) add_score(environment, 999999999, "SYMBOL");
  CHECK(environment.get("POSTERN_SCORE") == "999999.999");
  CHECK(environment.get("POSTERN_SYMBOLS")->size() <= 8192);
}

TEST_CASE("envelope verbs change just the recipients that they name") {
  struct Row {
    const char* verdict;
    const char* recipients;
  };
  const Row rows[] = {
      {"recipient-add\td@example.net\n", "b@example.net c@example.net d@example.net "},
      {"recipient-add\tB@example.net\n", "b@example.net c@example.net B@example.net "},
      {"recipient-add\tb@EXAMPLE.net\n", "b@example.net c@example.net "},
      {"recipient-remove\tb@EXAMPLE.NET\n", "c@example.net "},
      {"recipient-remove\tnobody@example.net\n", "b@example.net c@example.net "},
      {"recipient-replace\tb@example.net\tx@example.org\n", "x@example.org c@example.net "},
      {"recipient-remove\tb@example.net\nrecipient-remove\tc@example.net\n", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.verdict);
    CHECK(recipients_of(applied(row.verdict).envelope) == row.recipients);
  }
  CHECK(applied("sender\t\n").envelope.sender.empty());
  CHECK(applied("sender\tx@example.org\n").envelope.sender == "x@example.org");
  CHECK_FALSE(applied("sender\tx@example.org\n").envelope.smtputf8);
  CHECK(applied("recipient-add\t\xc3\xa4@example.org\n").envelope.smtputf8);
  const Part routed = applied("route\trelay.example:2525\tc@example.net\n");
  CHECK(routed.envelope.recipients[0].route.empty());
  CHECK(routed.envelope.recipients[1].route == "relay.example:2525");
  CHECK(applied("route\t[::1]\n").envelope.recipients[0].route == "[::1]");
}

TEST_CASE("what is split off is the message as the lines before made it, under its own number") {
  const Part part = some_part({"b@example.net", "c@example.net", "d@example.net"});
  Result<Applied> result =
      apply_one(part,
                "header-add\tA\tboth\ntag\tX\t1\nsplit\tpolicy\tb@example.net\td@example.net\n"
                "header-add\tB\tstays\ntag\tX\t2\ndrop\tx\n");
  REQUIRE(result.ok());
  CHECK(recipients_of(result->part.envelope) == "c@example.net ");
  CHECK(content_of(result->part.message.get()) == "B: stays\nA: both\n"s + kMessage);
  CHECK(result->part.decision.fate == Fate::drop);
  CHECK(result->part.mid == 17);
  REQUIRE(result->split_off.size() == 1);
  const Part& split = result->split_off[0];
  CHECK(recipients_of(split.envelope) == "b@example.net d@example.net ");
  CHECK(content_of(split.message.get()) == "A: both\n"s + kMessage);
  CHECK(split.decision.fate == Fate::deliver);
  CHECK_FALSE(split.stopped);
  CHECK(split.mid != 17);
  CHECK(split.environment.get("POSTERN_MID") == std::to_string(split.mid));
  CHECK(split.environment.get("POSTERN_PARENT_MID") == "17");
  CHECK(split.environment.get("POSTERN_TAG_X") == "1");
  CHECK(result->part.environment.get("POSTERN_TAG_X") == "2");
  bool said = false;
  for (const std::string& event : result->events)
    said = said || event == "MID 17 was split creating MID " + std::to_string(split.mid) + " due to policy";
  CHECK(said);
}

TEST_CASE("copies have numbers of their own and the message as it is at their line") {
  const ScratchHome home;
  Result<Applied> result = apply_one(
      some_part(),
      "bcc\tboss@example.org\nheader-remove\tSubject\narchive\tall\ncopy-quarantine\tPolicy\tlook\nmessage\n",
      "New: y\n\n");
  REQUIRE(result.ok());
  REQUIRE(result->copies.size() == 3);
  const Output& bcc = result->copies[0];
  CHECK(recipients_of(bcc.envelope) == "boss@example.org ");
  CHECK(bcc.envelope.recipients[0].notify == "NEVER");
  CHECK(content_of(bcc.message.get()) == kMessage);
  CHECK(bcc.environment.get("POSTERN_PARENT_MID") == "17");
  CHECK(content_of(result->copies[1].message.get()) == "\nbody\n");
  CHECK(result->copies[1].holds[0].quarantine == "archive all");
  CHECK(result->copies[2].holds[0].reason == "look");
  CHECK(content_of(result->part.message.get()) == "New: y\n\n");
  CHECK(recipients_of(result->part.envelope) == "b@example.net ");
}

TEST_CASE("a notice is made of its template, and no value makes a field in it") {
  const ScratchHome home;
  home.write("control/me", "mx.example.org\n");
  REQUIRE(::mkdir(home.path("control/templates").c_str(), 0755) == 0);
  home.write("control/templates/found",
             "Subject: held: $Subject\n\n$MID from $EnvelopeFrom to $EnvelopeRecipients by $FilterName from "
             "$remoteip: $reason. $5 $\n");
  Part part = some_part({"b@example.net", "c@example.net"});
  part.message = memory_with("Subject: x\r\n y\nX: z\n\nbody\n");
  REQUIRE(seal(part.message.get()).ok());
  part.envelope.sender = "a\nBcc: v@example.org";
  part.environment.set("TCPREMOTEIP", "192.0.2.1");
  Result<Applied> result =
      apply_one(part, "notify\tfound\tadmin@example.org\nquarantine\tPolicy\tbad word\n");
  REQUIRE(result.ok());
  REQUIRE(result->copies.size() == 1);
  const Output& notice = result->copies[0];
  CHECK(notice.envelope.sender.empty());
  CHECK(recipients_of(notice.envelope) == "admin@example.org ");
  const std::string text = content_of(notice.message.get());
  CAPTURE(text);
  CHECK(text.starts_with(
      "Subject: held: x y\nFrom: Mail gateway <postmaster@mx.example.org>\nTo: <admin@example.org>\n"));
  CHECK(text.find("Auto-Submitted: auto-generated\n\n17 from a\\x0aBcc: v@example.org to b@example.net, "
                  "c@example.net by tested "
                  "from 192.0.2.1: bad word. $5 $\n") != std::string::npos);
  CHECK_FALSE(apply_one(part, "notify\tmissing\tadmin@example.org\n").ok());
  home.write("control/templates/found", "no header");
  CHECK_FALSE(apply_one(part, "notify\tfound\tadmin@example.org\n").ok());
  CHECK_FALSE(apply_one(part, "notify\t../me\tadmin@example.org\n").ok());
}

TEST_CASE("a rewritten message is taken when the verdict says so, with its header edited as the lines say") {
  CHECK(content_of(applied("log\tx\n", "rewritten").message.get()) == kMessage);
  CHECK(content_of(applied("stop\n", "rewritten").message.get()) == kMessage);
  const Part part = applied("message\n", "Subject: y\n\nrewritten\n");
  CHECK(content_of(part.message.get()) == "Subject: y\n\nrewritten\n");
  CHECK(is_sealed(part.message.get()));
  CHECK(content_of(
            applied("header-add\tA\tb\nmessage\nheader-remove\tsubject\n", "Subject: y\n\n").message.get()) ==
        "A: b\n\n");
  CHECK(content_of(applied("header-add\tX-One\t1\nheader-add\tX-Two\t2\n").message.get()) ==
        "X-Two: 2\nX-One: 1\n"s + kMessage);
  CHECK(content_of(applied("header-add\tX\t1\nheader-remove\tx\nheader-add\tx\t2\n").message.get()) ==
        "x: 2\n"s + kMessage);
}

TEST_CASE("a verdict with anything wrong in it applies nothing at all") {
  const std::string long_name(65, 'A');
  for (const std::string& wrong : {"unknown\n"s,
                                   "STOP\n"s,
                                   "stop\tx\n"s,
                                   "drop\n"s,
                                   "drop\ta\tb\n"s,
                                   "reject\t554\n"s,
                                   "reject\t250\tok\n"s,
                                   "reject\t55\tx\n"s,
                                   "reject\t5544\tx\n"s,
                                   "reject\t5x4\tx\n"s,
                                   "reject\t\tx\n"s,
                                   "quarantine\tVirus\n"s,
                                   "quarantine\t../x\tx\n"s,
                                   "quarantine\t\tx\n"s,
                                   "copy-quarantine\t-x\tx\n"s,
                                   "archive\t\n"s,
                                   "archive\ta/b\n"s,
                                   "tag\tlower\tx\n"s,
                                   "tag\t\tx\n"s,
                                   "tag\tA=B\tx\n"s,
                                   "tag\tA-B\tx\n"s,
                                   "tag\t"s + long_name + "\tx\n",
                                   "tag\tB\t"s + std::string(60000, 'x') + "\n",
                                   "header-add\tX\n"s,
                                   "header-add\tX:\ty\n"s,
                                   "header-add\tX\\nBcc\ty\n"s,
                                   "header-add\t\ty\n"s,
                                   "header-remove\tX:\n"s,
                                   "message\n"s,
                                   "message\tx\n"s,
                                   "skip\n"s,
                                   "skip\ta b\n"s,
                                   "log\n"s,
                                   "defer\n"s,
                                   "bounce\n"s,
                                   "bounce\tx\ty\n"s,
                                   "hold\tnever\tx\n"s,
                                   "hold\t-5\tx\n"s,
                                   "hold\t+\tx\n"s,
                                   "hold\t99999999999999999\tx\n"s,
                                   "sender\n"s,
                                   "sender\ta\\nb@example.org\n"s,
                                   "sender\t"s + std::string(1004, 'a') + "\n",
                                   "recipient-add\t\n"s,
                                   "recipient-add\ta\\rb\n"s,
                                   "recipient-replace\tb@example.net\n"s,
                                   "recipient-replace\tnobody@example.net\tx@example.org\n"s,
                                   "recipient-replace\tb@example.net\t\n"s,
                                   "split\tx\n"s,
                                   "split\t\tb@example.net\n"s,
                                   "split\tx\tnobody@example.net\n"s,
                                   "split\tx\tb@example.net\nsplit\tx\tb@example.net\n"s,
                                   "route\n"s,
                                   "route\t\n"s,
                                   "route\t-\n"s,
                                   "route\thost:0\n"s,
                                   "route\thost\tnobody@example.net\n"s,
                                   "source\tlocal.host\n"s,
                                   "source\t1.2.3\n"s,
                                   "bounce-profile\t../x\n"s,
                                   "bcc\t\n"s,
                                   "notify\tx\n"s,
                                   "notify\tmissing\ta@example.org\n"s,
                                   "score\tx\tA\ty\n"s,
                                   "score\t1\t\ty\n"s,
                                   "score\t1\tA B\ty\n"s,
                                   "score\t1\tA\n"s,
                                   "?stop\tx\n"s}) {
    CAPTURE(printable(wrong, 60));
    for (const bool wrong_first : {true, false}) {
      const std::string good =
          "tag\tA\tone\nheader-add\tX\ty\nskip\ts\nquarantine\tVirus\tx\nrecipient-add\td@example."
          "net\ndrop\tx\n";
      const Part part = some_part();
      const Result<Applied> result = apply_one(part, wrong_first ? wrong + good : good + wrong);
      REQUIRE_FALSE(result.ok());
      CHECK_FALSE(result.failure().permanent());
      CHECK(part.decision.fate == Fate::deliver);
      CHECK(part.decision.holds.empty());
      CHECK(part.environment.pairs().size() == 1);
      CHECK(recipients_of(part.envelope) == "b@example.net ");
      CHECK(content_of(part.message.get()) == kMessage);
    }
  }
}

TEST_CASE("an unknown verb that may be ignored is ignored, with all of its arguments") {
  const Part part = applied("?sparkle\tx\ty\tz\n?\\tnew\ntag\tA\tone\n?stop\n");
  CHECK(part.stopped);
  CHECK(part.environment.get("POSTERN_TAG_A") == "one");
}
