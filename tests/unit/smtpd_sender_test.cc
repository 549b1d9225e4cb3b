// The sender's checks in a whole conversation.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "lib/text.h"
#include "tests/smtpd_conversation.h"
#include "tests/unit/dns_stub.h"
#include "tests/unit/scratch.h"

using namespace postern;
using namespace postern::smtpd;

namespace {

constexpr std::string_view kZone =
    "pass.example TXT \"v=spf1 ip4:192.0.2.1 -all\"\npass.example MX 10 m.pass.example\nm.pass.example A "
    "192.0.2.9\n"
    "fail.example TXT \"v=spf1 -all exp=why.fail.example\"\nfail.example A 192.0.2.9\n"
    "why.fail.example TXT \"%{i} is not ours\"\n"
    "slow.example ANY TIMEOUT\n"
    "soft.example TXT \"v=spf1 ~all\"\nsoft.example A 192.0.2.9\n"
    "twice.example TXT \"v=spf1 -all\"\ntwice.example TXT \"v=spf1 +all\"\ntwice.example A 192.0.2.9\n"
    "helo.example TXT \"v=spf1 -all\"\n";

struct Setup {
  MailFlowPolicy policy{};
  std::string input{};
  std::string helo = "EHLO client.example\r\n";
  bool relay = false;
  std::vector<std::string>* asked = nullptr;
};

Played play_with(const Setup& setup) {
  Conversation conversation;
  conversation.settings.policy = setup.policy;
  if (setup.relay) conversation.settings.relay_suffix = "";
  conversation.rules.ask_dns = dns_of_lines(kZone, setup.asked);
  conversation.packets = {setup.helo, setup.input};
  return play(conversation);
}

// The reply to the last command.
std::string last_reply(const std::string& replies) {
  const std::vector<std::string_view> lines = split(replies, '\n');
  return lines.size() < 2 ? "" : std::string(trim(lines[lines.size() - 2]));
}
std::string reply_to_mail(const MailFlowPolicy& policy, const std::string& sender) {
  return last_reply(play_with({.policy = policy, .input = "MAIL FROM:<" + sender + ">\r\n"}).replies);
}

MailFlowPolicy with_spf(SpfUse use) {
  MailFlowPolicy policy;
  policy.spf = use;
  return policy;
}

constexpr const char* kMessage = "RCPT TO:<a@example.org>\r\nDATA\r\n";

}  // namespace

TEST_CASE("R13: SPF refuses a sender at MAIL, says why in the domain's words, and lets all else pass") {
  const MailFlowPolicy policy = with_spf(SpfUse::reject);
  CHECK(reply_to_mail(policy, "a@pass.example") == "250 2.1.0 sender ok");
  CHECK(reply_to_mail(policy, "a@soft.example") == "250 2.1.0 sender ok");
  CHECK(reply_to_mail(policy, "a@twice.example") == "250 2.1.0 sender ok");
  CHECK(reply_to_mail(policy, "a@none.example") == "250 2.1.0 sender ok");
  CHECK(
      reply_to_mail(policy, "a@fail.example") ==
      "550 5.7.23 SPF: 192.0.2.1 may not send mail of fail.example; that domain says: 192.0.2.1 is not ours");
  CHECK(reply_to_mail(policy, "a@slow.example") ==
        "451 4.7.24 SPF: the record of slow.example cannot be read now");
  const MailFlowPolicy mark = with_spf(SpfUse::mark);
  CHECK(reply_to_mail(mark, "a@fail.example") == "250 2.1.0 sender ok");
  CHECK(reply_to_mail(mark, "a@slow.example") == "250 2.1.0 sender ok");
  // The null reverse-path has the HELO name's.
  CHECK(
      last_reply(
          play_with({.policy = policy, .input = "MAIL FROM:<>\r\n", .helo = "EHLO helo.example\r\n"}).replies)
          .starts_with("550 5.7.23 "));
}

TEST_CASE("R13: what SPF found stands in the message, above our Received field") {
  struct Case {
    const char* sender;
    const char* field;
  };
  const Case cases[] = {
      {"a@fail.example",
       "Received-SPF: fail (mx.example.org: \"-all\" of fail.example matches)\n  client-ip=192.0.2.1;\n"
       "  envelope-from=\"a@fail.example\";\n  helo=\"client.example\"; identity=mailfrom;\n"
       "  receiver=mx.example.org;\n  mechanism=\"-all\"\nReceived: from client.example "},
      {"\"x\\\"y\"@none.example",
       "Received-SPF: none (mx.example.org: none.example has no SPF record)\n"
       "  client-ip=192.0.2.1;\n  envelope-from=\"\\\"x\\\\\\\"y\\\"@none.example\";\n"
       "  helo=\"client.example\"; identity=mailfrom;\n  receiver=mx.example.org\nReceived: "},
      {"",
       "Received-SPF: none (mx.example.org: client.example has no SPF record)\n  client-ip=192.0.2.1;\n"
       "  envelope-from=\"\";\n  helo=\"client.example\"; identity=helo;\n  "
       "receiver=mx.example.org\nReceived: "},
  };
  for (const Case& c : cases) {
    CAPTURE(c.sender);
    Conversation conversation;
    conversation.settings.policy = with_spf(SpfUse::mark);
    conversation.rules.ask_dns = dns_of_lines(kZone);
    conversation.packets = {"EHLO client.example\r\n",
                            "MAIL FROM:<" + std::string(c.sender) + ">\r\n" + kMessage,
                            "Subject: x\r\n\r\nb\r\n.\r\nMAIL FROM:<>\r\nRSET\r\n"};
    std::string whole;
    conversation.queue = [&](const HandedOn& got) {
      whole = got.received + got.message;
      return QueueAnswer{};
    };
    play(conversation);
    CHECK(whole.substr(0, std::string_view(c.field).size()) == c.field);
  }
}

TEST_CASE("SPF that is off, and a client that may relay, cost no question") {
  std::vector<std::string> asked;
  CHECK(last_reply(play_with({.input = "MAIL FROM:<a@fail.example>\r\n", .asked = &asked}).replies)
            .starts_with("250"));
  MailFlowPolicy all = with_spf(SpfUse::reject);
  all.verify_sender = all.check_helo = all.helo_dns = true;
  const Played relayed = play_with({.policy = all,
                                    .input = "MAIL FROM:<a@fail.example>\r\n",
                                    .helo = "HELO x\r\n",
                                    .relay = true,
                                    .asked = &asked});
  CHECK(last_reply(relayed.replies).starts_with("250"));
  CHECK(asked.empty());
}

TEST_CASE("R08: a sender's domain must be in DNS where the policy says so") {
  MailFlowPolicy policy;
  CHECK(reply_to_mail(policy, "a@nothing.example").starts_with("250"));
  policy.verify_sender = true;
  CHECK(reply_to_mail(policy, "a@pass.example").starts_with("250"));
  CHECK(reply_to_mail(policy, "a@nothing.example") ==
        "550 5.1.8 the domain of the sender's address does not exist: nothing.example");
  CHECK(reply_to_mail(policy, "a@slow.example").starts_with("451 4.4.3 "));
  CHECK(reply_to_mail(policy, "").starts_with("250"));
}

TEST_CASE("R09: a malformed sender is refused, with the policy's text, or let pass") {
  MailFlowPolicy policy;
  CHECK(reply_to_mail(policy, "a@@b") == "501 5.1.7 sender address not understood");
  policy.verify_sender = true;
  CHECK(reply_to_mail(policy, "a@@b") == "553 5.1.7 sender address not understood");
  policy.malformed = {.code = 550, .text = "5.1.7 write it well"};
  CHECK(reply_to_mail(policy, "a@@b") == "550 5.1.7 write it well");
  policy.allow_malformed = true;
  CHECK(reply_to_mail(policy, "a@@b").starts_with("550 5.1.8 "));  // it is its domain's turn now
  policy.verify_sender = false;
  policy.malformed = {};
  for (const char* sender : {"a@@b", "a@", "@b", "a..b@c.example", "a@b@c", "a@-b", "\\@,;"}) {
    CAPTURE(sender);
    CHECK(reply_to_mail(policy, sender).starts_with("250"));
  }
  for (const char* sender : {"a b@@c", "a@@\xc3\xa4", "<a@@b", "\"@@b", "a@@b> x=y=z"}) {
    CAPTURE(sender);
    CHECK(reply_to_mail(policy, sender).starts_with("501"));
  }
  CHECK(reply_to_mail(policy, std::string(255, '@')).starts_with("501"));
}

TEST_CASE("R18: an address without a domain gets the default domain, or is refused") {
  const ScratchHome home;
  const auto played = [] {
    return play_with(
        {.input =
             "MAIL FROM:<joe> SIZE=10\r\nRCPT TO:<ann>\r\nRCPT TO:<postmaster>\r\nRCPT TO:<b@example.org>\r\n"
             "DATA\r\n"});
  };
  CHECK(played().replies.find("501 5.1.7 ") != std::string::npos);
  home.write("control/defaultdomain", "example.org\n");
  Conversation conversation;
  conversation.packets = {"EHLO client.example\r\n",
                          "MAIL FROM:<joe>\r\nRCPT TO:<ann>\r\nRCPT TO:<postmaster>\r\nDATA\r\n",
                          "x: y\r\n\r\n.\r\n"};
  const Played whole = play(conversation);
  REQUIRE(whole.handed_on.size() == 1);
  CHECK(whole.handed_on[0].envelope.sender == "joe@example.org");
  REQUIRE(whole.handed_on[0].envelope.recipients.size() == 2);
  CHECK(whole.handed_on[0].envelope.recipients[0].address == "ann@example.org");
  CHECK(whole.handed_on[0].envelope.recipients[1].address == "postmaster@mx.example.org");
  // A default domain that is not ours opens no relay.
  home.write("control/defaultdomain", "elsewhere.example\n");
  CHECK(last_reply(play_with({.input = "MAIL FROM:<joe>\r\nRCPT TO:<ann>\r\n"}).replies)
            .starts_with("550 5.7.1 relaying"));
  home.write("control/defaultdomain", "no domain\n");
  CHECK(last_reply(play_with({.input = "MAIL FROM:<joe>\r\n"}).replies).starts_with("421 4.3.5 "));
}

TEST_CASE("HELO that the policy does not take leaves the client ungreeted") {
  MailFlowPolicy policy;
  policy.check_helo = true;
  const auto replies = [&](const std::string& helo) {
    return play_with({.policy = policy, .input = "MAIL FROM:<a@b.example>\r\n", .helo = helo}).replies;
  };
  CHECK(replies("EHLO client\r\n").find("\n550 5.7.1 HELO: say your full host name") != std::string::npos);
  CHECK(last_reply(replies("EHLO client\r\n")).starts_with("503"));
  CHECK(last_reply(replies("HELO mx.example.org\r\n")).starts_with("503"));
  CHECK(last_reply(replies("HELO client.example\r\n")).starts_with("250"));
  policy.helo_dns = true;
  CHECK(last_reply(replies("HELO nothing.example\r\n")).starts_with("503"));
  CHECK(last_reply(replies("HELO slow.example\r\n")).starts_with("250"));
}

TEST_CASE("who speaks before the greeting is closed on, where the policy waits") {
  MailFlowPolicy policy;
  CHECK(play_with({.policy = policy, .input = ""}).replies.starts_with("220 "));
  policy.greet_delay = 60000;
  CHECK(play_with({.policy = policy, .input = ""}).replies ==
        "554 5.5.1 the client speaks before the greeting, closing\r\n");
}

TEST_CASE("R14: a tarpit holds nobody who has gone") {
  MailFlowPolicy policy;
  policy.tarpit = 3600000;
  const Played played =
      play_with({.policy = policy, .input = "MAIL FROM:<a@b.example>\r\nRCPT TO:<c@example.org>\r\n"});
  CHECK(played.handed_on.empty());
}
