#include "receipt/rates.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include "lib/request.h"
#include "lib/text.h"
#include "receipt/counter_file.h"
#include "receipt/counters.h"
#include "receipt/rate_alert.h"
#include "tests/smtpd_conversation.h"
#include "tests/unit/scratch.h"

using namespace postern;
using What = RateCheck::What;

namespace {

constexpr uint64_t kNoon = 1767268800;  // 2026-01-01 12:00 UTC

RateCheck take(std::string name, std::string key, uint32_t seconds, uint32_t limit) {
  return {
      .what = What::take, .name = std::move(name), .key = std::move(key), .seconds = seconds, .limit = limit};
}

// How many of `tries` pass at that moment.
int passed(Counters& counters, const RateCheck& check, uint64_t now, int tries) {
  int count = 0;
  for (int i = 0; i < tries; ++i) count += counters.ask({&check, 1}, now).over ? 0 : 1;
  return count;
}

// A policy of which the session asks counters in memory instead of postern-rated.
struct Limited {
  MailFlowPolicy policy;
  MemoryCounters counters{1000, 1};
  std::vector<std::string> asked;
  uint64_t now = kNoon;

  Limited() {
    policy.name = "TEST";
    policy.max_connections = policy.max_messages_per_connection = policy.max_invalid_recipients = 0;
  }
  Rates rates(std::string_view ip = "192.0.2.1") {
    return Rates(policy, ip, [this](std::span<const RateCheck> checks) -> std::optional<RateAnswer> {
      for (const RateCheck& check : checks) asked.push_back(check.name + " " + check.key);
      return counters.ask(checks, now);
    });
  }
};

}  // namespace

TEST_CASE(
    "a window lets its limit through within any span of its length, and forgets a slice later at most") {
  MemoryCounters counters(1000, 1);
  const RateCheck check = take("recipients", "192.0.2.1/32", 3600, 20);
  CHECK(passed(counters, check, kNoon + 299, 30) == 20);
  CHECK(passed(counters, check, kNoon + 3599, 1) == 0);
  CHECK(passed(counters, check, kNoon + 299 + 3599, 1) == 0);
  CHECK(passed(counters, check, kNoon + 3600 + 300, 30) == 20);
  // ten, half an hour later ten more: each ten comes back in its own time
  const RateCheck other = take("recipients", "192.0.2.2/32", 3600, 20);
  CHECK(passed(counters, other, kNoon, 10) == 10);
  CHECK(passed(counters, other, kNoon + 1800, 30) == 10);
  CHECK(passed(counters, other, kNoon + 3599, 1) == 0);
  CHECK(passed(counters, other, kNoon + 3900, 30) == 10);
}

TEST_CASE("no random order of questions passes a limit within a window") {
  MemoryCounters counters(1000, 1);
  const RateCheck check = take("sender", "a@example.org", 60, 7);
  std::vector<uint64_t> times;
  uint64_t now = kNoon;
  uint32_t state = 1;
  for (int i = 0; i < 20000; ++i) {
    state = state * 1664525 + 1013904223;
    now += state >> 30;  // 0 to 3 seconds
    if (!counters.ask({&check, 1}, now).over) times.push_back(now);
  }
  REQUIRE(times.size() > 1000);
  for (size_t i = 7; i < times.size(); ++i) CHECK(times[i] - times[i - 7] >= 60);
}

TEST_CASE("all checks of a question pass and are counted, or none is") {
  MemoryCounters counters(1000, 1);
  const std::vector<RateCheck> both = {take("a", "k", 3600, 5), take("b", "k", 3600, 2)};
  CHECK(!counters.ask(both, kNoon).over);
  CHECK(!counters.ask(both, kNoon).over);
  const RateAnswer answer = counters.ask(both, kNoon);
  CHECK(answer.over);
  CHECK(answer.check == 1);
  CHECK(answer.count == 2);
  CHECK(passed(counters, both[0], kNoon, 10) == 3);  // the refused one was not counted
  RateCheck look = both[0];
  look.what = What::look;
  CHECK(counters.ask({&look, 1}, kNoon).over);
  look.key = "nobody";
  for (int i = 0; i < 10; ++i) CHECK(!counters.ask({&look, 1}, kNoon).over);
  CHECK(counters.size() == 2);
}

TEST_CASE("one counter is shared by listeners with thresholds of their own") {
  MemoryCounters counters(1000, 1);
  const RateCheck strict = take("recipients", "192.0.2.1/32", 3600, 3);
  const RateCheck lenient = take("recipients", "192.0.2.1/32", 3600, 5);
  CHECK(passed(counters, lenient, kNoon, 3) == 3);
  CHECK(passed(counters, strict, kNoon, 1) == 0);
  CHECK(passed(counters, lenient, kNoon, 5) == 2);
}

TEST_CASE("the count of a day begins anew at midnight, and is told of once") {
  MemoryCounters counters(1000, 1);
  const RateCheck check = take("user-day", "alice", kRateDay, 3);
  const uint64_t midnight = [] {
    uint64_t at = kNoon;
    while (day_number(at) == day_number(kNoon)) at += 60;
    return at;
  }();
  CHECK(!counters.first_over_today(check, midnight - 2));
  CHECK(passed(counters, check, midnight - 2, 5) == 3);
  CHECK(counters.first_over_today(check, midnight - 1));
  CHECK(!counters.first_over_today(check, midnight - 1));
  CHECK(passed(counters, check, midnight - 1, 5) == 0);
  CHECK(passed(counters, check, midnight, 5) == 3);
  CHECK(counters.first_over_today(check, midnight + 1));
}

TEST_CASE("a clock that jumps neither frees nor locks anybody for good") {
  MemoryCounters counters(1000, 1);
  const RateCheck check = take("recipients", "k", 3600, 3);
  CHECK(passed(counters, check, kNoon, 5) == 3);
  CHECK(passed(counters, check, kNoon - 1800, 5) == 0);
  CHECK(passed(counters, check, kNoon + 10 * 365 * uint64_t{86400}, 5) == 3);
  CHECK(passed(counters, check, kNoon, 5) == 3);
}

TEST_CASE("keys that are over are forgotten, and new keys do not drive out those counted high") {
  MemoryCounters counters(1000, 1);
  for (int i = 0; i < 900; ++i) {
    const RateCheck check = take("sender", std::to_string(i), 60, 10);
    counters.ask({&check, 1}, kNoon);
  }
  for (int i = 0; i < 200; ++i) counters.sweep(kNoon + 70, 60);
  CHECK(counters.size() == 0);
  const RateCheck high = take("recipients", "spammer", 3600, 100);
  CHECK(passed(counters, high, kNoon, 200) == 100);
  for (int i = 0; i < 20000; ++i) {
    const RateCheck check = take("sender", "x" + std::to_string(i), 3600, 10);
    counters.ask({&check, 1}, kNoon);
    REQUIRE(counters.size() <= 1000);
  }
  CHECK(passed(counters, high, kNoon, 10) == 0);
}

TEST_CASE("the counters survive in their file; a broken one is put aside") {
  const Scratch scratch;
  const std::string path = scratch.path("counters");
  MemoryCounters counters(1000, 1);
  const uint64_t now = now_microseconds() / 1000000;
  const RateCheck check = take("recipients", "192.0.2.1/32", 3600, 20);
  CHECK(passed(counters, check, now, 12) == 12);
  REQUIRE(save_counters(counters, path).ok());
  scratch.write("counters.123.new", "half of");
  MemoryCounters again(1000, 2);
  REQUIRE(load_counters(again, path).ok());
  CHECK(passed(again, check, now, 20) == 8);
  CHECK(::access(scratch.path("counters.123.new").c_str(), F_OK) < 0);
  MemoryCounters none(1000, 3);
  CHECK(load_counters(none, scratch.path("missing")).ok());
  std::string bytes = scratch.read("counters");
  for (const size_t length : {size_t{0}, size_t{10}, size_t{39}, bytes.size() - 1}) {
    CAPTURE(length);
    CHECK(!none.decode(bytes.substr(0, length), now).ok());
  }
  for (size_t at = 0; at < bytes.size(); ++at) {
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    CHECK(!none.decode(bytes, now).ok());
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
  }
  CHECK(none.decode(bytes, now).ok());
  CHECK(none.decode(bytes, now + 7200).ok());
  CHECK(none.size() == 0);
  scratch.write("counters", "no counters");
  CHECK(load_counters(none, path).ok());
  CHECK(scratch.read("counters.broken") == "no counters");
}

TEST_CASE("a question and its answer mean the same at both ends; what is no question is refused") {
  const std::vector<RateCheck> checks = {
      {.what = What::slot, .name = "connections", .key = "192.0.2.0/24", .seconds = 0, .limit = 10},
      take("user-day", "alice", kRateDay, 3),
      {.what = What::look, .name = "invalid", .key = "::/64", .seconds = 3600, .limit = 0}};
  const Result<std::vector<RateCheck>> parsed = parse_rate_arguments(rate_arguments(checks));
  REQUIRE(parsed.ok());
  CHECK(*parsed == checks);
  const std::vector<std::vector<std::string>> wrong = {
      {},
      {"ask"},
      {"ask", "take", "a", "k", "60"},
      {"tell", "take", "a", "k", "60", "1"},
      {"ask", "drop", "a", "k", "60", "1"},
      {"ask", "take", "", "k", "60", "1"},
      {"ask", "take", "A b", "k", "60", "1"},
      {"ask", "take", std::string(33, 'a'), "k", "60", "1"},
      {"ask", "take", "a", "", "60", "1"},
      {"ask", "take", "a", std::string(1025, 'k'), "60", "1"},
      {"ask", "take", "a", "k", "0", "1"},
      {"ask", "take", "a", "k", "-1", "1"},
      {"ask", "take", "a", "k", "2678401", "1"},
      {"ask", "take", "a", "k", "60", "4294967296"},
      {"ask", "slot", "a", "k", "60", "1"},
      {"ask", "slot", "a", "k", "day", "1"},
      {"ask", "take", "a", "k", "60", "1", "more"}};
  for (const std::vector<std::string>& arguments : wrong) {
    CAPTURE(arguments.size());
    CHECK(!parse_rate_arguments(arguments).ok());
  }
  const std::vector<RateCheck> many(17, take("a", "k", 60, 1));
  CHECK(!parse_rate_arguments(rate_arguments(many)).ok());
  const RateAnswer over{.over = true, .check = 2, .count = 77};
  const Result<RateAnswer> back = parse_rate_answer(format_rate_answer(over), 3);
  REQUIRE(back.ok());
  CHECK(back->over);
  CHECK(back->check == 2);
  CHECK(back->count == 77);
  CHECK(!parse_rate_answer(format_rate_answer({}), 1)->over);
  for (const char* text : {"", "ok", "over\n", "over 3 1\n", "over 0 1", "over x 1\n", "over 0 1 2\n"})
    CHECK(!parse_rate_answer(text, 3).ok());
}

TEST_CASE("what shares the significant bits of an address shares its counters") {
  CHECK(network_key("192.0.2.77", 32, 64) == "192.0.2.77/32");
  CHECK(network_key("192.0.2.77", 24, 64) == "192.0.2.0/24");
  CHECK(network_key("192.0.2.255", 25, 64) == "192.0.2.128/25");
  CHECK(network_key("::ffff:192.0.2.77", 24, 64) == "192.0.2.0/24");
  CHECK(network_key("192.0.2.77", 0, 64) == "0.0.0.0/0");
  CHECK(network_key("2001:db8:1:2:3::4", 24, 64) == "2001:db8:1:2::/64");
  CHECK(network_key("2001:db8:1:2:3::4", 24, 128) == "2001:db8:1:2:3::4/128");
  CHECK(network_key("unknown", 24, 64) == "unknown");
}

TEST_CASE("nobody is asked where the policy has no name or sets no limit") {
  Limited limited;
  Rates rates = limited.rates();
  CHECK(rates.connection().passes());
  CHECK(rates.authenticated("alice").passes());
  CHECK(rates.message("alice").passes());
  CHECK(rates.recipient("s@example.org").passes());
  CHECK(rates.invalid_recipient().passes());
  limited.policy = MailFlowPolicy{};
  limited.policy.max_recipients_per_hour = 1;
  Rates without = limited.rates();
  for (int i = 0; i < 3; ++i) CHECK(without.recipient("s@example.org").passes());
  CHECK(limited.asked.empty());
}

TEST_CASE("each limit has its own code and text") {
  Limited limited;
  limited.policy.max_recipients_per_hour = 1;
  limited.policy.max_recipients_per_sender = 1;
  limited.policy.max_invalid_recipients = 1;
  limited.policy.max_messages_per_day = 1;
  Rates rates = limited.rates();
  CHECK(rates.message("Alice").passes());
  Decision decision = rates.message("alice");
  CHECK(decision.kind == Decision::Kind::refuse);
  CHECK(decision.reply.line() == "452 4.7.1 too many messages of this user today");
  CHECK(decision.why == "policy TEST: max_messages_per_day 1 of alice, which has 1");
  CHECK(rates.message("bob").passes());  // others are unaffected
  CHECK(rates.recipient("S@example.org").passes());
  decision = rates.recipient("t@example.org");
  CHECK(decision.reply.line() == "452 4.7.1 too many recipients from your address within an hour");
  CHECK(decision.kind == Decision::Kind::refuse);
  Rates elsewhere = limited.rates("192.0.2.2");
  decision = elsewhere.recipient("s@example.org");
  CHECK(decision.reply.line() == "452 4.7.1 too many recipients for this sender; try again later");
  limited.policy.sender_rate = {.code = 550, .text = "5.7.99 enough"};
  CHECK(elsewhere.recipient("s@example.org").reply.line() == "550 5.7.99 enough");
  limited.policy.sender_rate = {.code = 550, .text = "enough"};
  CHECK(elsewhere.recipient("s@example.org").reply.line() == "550 5.7.1 enough");
  limited.policy.sender_rate = {.code = 0, .text = "5.7.1 is not the class of 452"};
  CHECK(elsewhere.recipient("s@example.org").reply.line() == "452 4.7.1 5.7.1 is not the class of 452");
  CHECK(rates.invalid_recipient().passes());
  decision = rates.invalid_recipient();
  CHECK(decision.kind == Decision::Kind::close);
  CHECK(decision.reply.line() == "421 4.7.1 too many invalid recipients from your address");
  CHECK(rates.connection().kind == Decision::Kind::close);  // nor is another connection taken
  limited.policy.drop_harvesters = false;
  CHECK(rates.connection().passes());
  limited.policy.max_recipients_per_hour = 0;
  decision = rates.recipient("x@example.org");
  CHECK(decision.kind == Decision::Kind::refuse);
  CHECK(decision.reply.line() == "452 4.7.1 too many invalid recipients from your address");
  CHECK(elsewhere.recipient("x@example.org").passes());
}

TEST_CASE("once a recipient was one too many, others are not asked about the next") {
  Limited limited;
  limited.policy.max_recipients_per_hour = 2;
  Rates rates = limited.rates();
  CHECK(rates.recipient_left("s@example.org").passes());
  CHECK(limited.asked.empty());
  CHECK(rates.recipient("s@example.org").passes());
  CHECK(rates.recipient("s@example.org").passes());
  CHECK(rates.recipient_left("s@example.org").passes());  // it is not known yet
  CHECK(!rates.recipient("s@example.org").passes());
  CHECK(rates.recipient_left("s@example.org").reply.line() ==
        "452 4.7.1 too many recipients from your address within an hour");
  limited.now += 4000;
  for (int i = 0; i < 3; ++i) CHECK(rates.recipient_left("s@example.org").passes());  // nor counted

  Conversation conversation;
  Limited inside;
  inside.policy.max_recipients_per_hour = 1;
  conversation.settings.policy = inside.policy;
  conversation.rules.trial =
      smtpd::Trial{.command = [](std::string_view) {},
                   .decided = [](const Decision&) {},
                   .judged = [](const RecipientVerdict&) {},
                   .ask_rates = [&inside](std::span<const RateCheck> checks) -> std::optional<RateAnswer> {
                     return inside.counters.ask(checks, inside.now);
                   }};
  const ScratchHome home;
  home.write("control/recipientchecks", "DEFAULT call_ahead=x\n");
  int asked = 0;
  conversation.rules.ask = [&asked](std::string_view program, const Request&, int64_t) -> Result<Reply> {
    asked += program == "@callahead" ? 1 : 0;
    return Reply{.exit_code = 0, .output = ""};
  };
  const std::string rcpt = "RCPT TO:<a@example.org>\r\n";
  conversation.packets = {"EHLO c\r\n", "MAIL FROM:<s@client.example>\r\n", rcpt, rcpt, rcpt, rcpt};
  const std::string replies = play(std::move(conversation)).replies;
  CAPTURE(replies);
  size_t refused = 0;
  for (const std::string_view line : split(replies, '\n')) refused += line.starts_with("452 4.7.1 ") ? 1 : 0;
  CHECK(refused == 3);
  CHECK(asked == 2);
}

TEST_CASE("listed senders are exempt from their own limit, not from that of the address") {
  const ScratchHome home;
  home.write("control/senderrateexceptions", "list@example.org\n@example.net\n@.example.com\n");
  Limited limited;
  limited.policy.max_recipients_per_sender = 1;
  limited.policy.max_recipients_per_hour = 9;
  Rates rates = limited.rates();
  for (const char* sender : {"list@example.org", "a@Example.NET", "a@b.example.com"}) {
    CAPTURE(sender);
    CHECK(rates.recipient(sender).passes());
    CHECK(rates.recipient(sender).passes());
  }
  for (const char* sender : {"other@example.org", "a@example.com"}) {
    CAPTURE(sender);
    CHECK(rates.recipient(sender).passes());
    CHECK(!rates.recipient(sender).passes());
  }
  CHECK(rates.recipient("").passes());  // the null reverse-path has no limit of its own
  CHECK(rates.recipient("list@example.org").reply.line() ==
        "452 4.7.1 too many recipients from your address within an hour");
}

TEST_CASE("all passes while rated is away") {
  const ScratchHome home;
  MailFlowPolicy policy;
  policy.name = "TEST";
  policy.max_recipients_per_hour = 1;
  Rates rates(policy, "192.0.2.1");
  CHECK(rates.connection().passes());
  for (int i = 0; i < 3; ++i) CHECK(rates.recipient("a@example.org").passes());
}

TEST_CASE("the alert is a mail that no name can break") {
  const std::string mail = rate_alert_mail(take("user-day", "eve\nBcc: all@example.org", kRateDay, 500),
                                           "mx.example.org", "postmaster@mx.example.org", kNoon);
  CHECK(mail.find("Subject: eve\\x0aBcc: all@example.org has met the limit of 500 messages a day\n") !=
        std::string::npos);
  CHECK(mail.find("\nBcc:") == std::string::npos);
  CHECK(mail.find("\nAuto-Submitted: auto-generated\n") != std::string::npos);
}
