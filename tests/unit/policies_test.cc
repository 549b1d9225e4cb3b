#include "receipt/policies.h"

#include <doctest/doctest.h>

#include "receipt/custom_reply.h"

using namespace postern;

namespace {

MailFlowPolicy policy(std::string_view text, std::string_view name) {
  Result<Policies> policies = parse_policies(text, "f");
  REQUIRE_MESSAGE(policies.ok(), policies.failure().text);
  const PolicyLine* line = policies->find(name);
  REQUIRE(line != nullptr);
  Result<MailFlowPolicy> made = make_policy(*line);
  REQUIRE(made.ok());
  return *made;
}

}  // namespace

TEST_CASE("DEFAULT holds for all, wherever it stands, and a line may go on") {
  const std::string text =
      "# policies\nA ACCEPT tls=required\nB relay\n  max_message_size=10M\n\t# not this\n  "
      "anti_spam=off\nDEFAULT tls=off "
      "max_connections=-1\n";
  const MailFlowPolicy a = policy(text, "a");
  CHECK(a.name == "A");
  CHECK(a.tls == TlsUse::required);
  CHECK(a.max_connections == 0);
  const MailFlowPolicy b = policy(text, "B");
  CHECK(b.rule == AccessRule::relay);
  CHECK(b.tls == TlsUse::off);
  CHECK(b.max_message_size == 10 << 20);
  CHECK_FALSE(b.anti_spam);
}

TEST_CASE("codes and texts") {
  const MailFlowPolicy p = policy(
      "A REJECT reject=\"554 5.7.9 go \\\"away\\\"\" banner=220 recipient_rate=\"slow down\" "
      "sender_rate=450\n",
      "A");
  CHECK(p.reject == CustomReply{554, "5.7.9 go \"away\""});
  CHECK(p.banner == CustomReply{220, ""});
  const SmtpReply otherwise{.code = "452", .status = "4.7.1", .text = "too many"};
  CHECK(reply_of(p.reject, otherwise).line() == "554 5.7.9 go \"away\"");
  CHECK(reply_of(p.recipient_rate, otherwise).line() == "452 4.7.1 slow down");
  CHECK(reply_of(p.sender_rate, otherwise).line() == "450 4.7.1 too many");
  CHECK(reply_of({554, "no"}, otherwise).line() == "554 5.7.1 no");
  CHECK(reply_of({0, "5.7.9 of another class"}, otherwise).line() == "452 4.7.1 5.7.9 of another class");
  CHECK(reply_of({}, otherwise).line() == "452 4.7.1 too many");
}

TEST_CASE("every parameter is said as it can be read again") {
  MailFlowPolicy changed;
  std::string text = "A ACCEPT";
  for (const auto& parameter : policy_parameters(changed)) {
    const auto& name = parameter.first;
    const auto& value = parameter.second;
    CAPTURE(name);
    std::string other = value == "on" ? "off" : value == "off" ? "on" : value == "0" ? "17" : "20";
    if (name == "tls" || name == "auth") other = "required";
    if (name == "spf" || name == "bounce_tags") other = "reject";
    if (value.empty()) other = name == "banner" ? "220 x" : name == "banner_host" ? "h" : "451 x";
    if (name == "max_message_size") other = "2048";
    text += " " + name + "=\"" + other + "\"";
  }
  const MailFlowPolicy read = policy(text, "A");
  const auto before = policy_parameters(changed);
  const auto after = policy_parameters(read);
  for (size_t i = 0; i < before.size(); ++i) {
    CAPTURE(before[i].first);
    CHECK(before[i].second != after[i].second);
    CHECK(text.find(" " + after[i].first + "=\"" + after[i].second + "\"") != std::string::npos);
  }
}

TEST_CASE("a bad line of control/policies names itself, and the remedy") {
  const std::pair<std::string, std::string> rows[] = {
      {"A ACCEPT\nA REJECT\n", "f:2: there is a policy A before it; remove one of the two"},
      {"A\n", "f:1: behind the name A stands no access rule; write ACCEPT, REJECT"},
      {"A tls=off\n", "f:1: behind the name A stands no access rule"},
      {"  ACCEPT\n", "f:1: it goes on with a line that is not there"},
      {"A! ACCEPT\n", "f:1: \"A!\" is no name"},
      {"DEFAULT tls=off\nDEFAULT tls=on\n", "f:2: there is a line for DEFAULT before it"},
      {"A ACCEPT\n  tls=maybe\n", "f:2: tls=maybe: it is one of off, preferred, required"},
      {"A ACCEPT\n\n  nonsense=1\n", "f:3: \"nonsense=1\" is no PARAMETER=VALUE"},
      {"A ACCEPT max_message_size=1000\n", "at least 1024"},
      {"A ACCEPT max_message_size=99999999999999999999G\n", "it is a number of bytes"},
      {"A ACCEPT max_connections=1.5\n", "it is a number from 0"},
      {"A ACCEPT sender_minutes=0\n", "it is a number from 1"},
      {"A REJECT reject=\"254 no\"\n", "its code begins with 4 or 5"},
      {"A REJECT reject=\"569 no\"\n", "its code begins with 4 or 5"},
      {"A REJECT banner=\"554 no\"\n", "its code begins with 2"},
      {"A REJECT reject=\"554 na\xc3\xafve\"\n", "ASCII"},
      {"A REJECT reject=\"554 open\n", "f:1: a quotation mark is not closed"},
      {"A REJECT reject=\"a\x01\"\n", "f:1: a control character"},
      {"A REJECT reject=\"" + std::string(401, 'x') + "\"\n", "longer than 400 bytes"},
  };
  for (const auto& row : rows) {
    const auto& text = row.first;
    const auto& problem = row.second;
    CAPTURE(text);
    const Result<Policies> parsed = parse_policies(text, "f");
    REQUIRE_FALSE(parsed.ok());
    CAPTURE(parsed.failure().text);
    CHECK(parsed.failure().text.find(problem) != std::string::npos);
  }
}
