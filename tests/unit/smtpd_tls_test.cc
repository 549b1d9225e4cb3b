#include <doctest/doctest.h>

#include <array>

#include "lib/text.h"
#include "smtpd/session.h"
#include "tests/smtpd_conversation.h"

using namespace postern;
using namespace postern::smtpd;

namespace {

const std::string kMail = "MAIL FROM:<s@client.example>\r\n";
const std::string kMessage = kMail + "RCPT TO:<a@example.org>\r\nBDAT 15 LAST\r\nSubject: x\r\n\r\nx";

std::string codes(const std::string& replies) {
  std::string all;
  for (const std::string_view line : split(replies, '\n')) {
    if (line.size() > 3 && line[3] == ' ') all.append(all.empty() ? "" : " ").append(line.substr(0, 3));
  }
  return all;
}

Conversation secured(std::vector<std::string> clear, std::vector<std::string> under_tls) {
  Conversation conversation;
  conversation.packets = std::move(clear);
  conversation.tls_packets = std::move(under_tls);
  conversation.tls_facts = {.protocol = "TLSv1.3", .cipher = "TLS_AES_256_GCM_SHA384", .bits = 256};
  return conversation;
}

}  // namespace

TEST_CASE("STARTTLS is offered until TLS has begun, and where the policy lets it") {
  Conversation conversation =
      secured({"EHLO c\r\n", "STARTTLS\r\n"}, {"EHLO c\r\n", "STARTTLS\r\n", "QUIT\r\n"});
  Played played = play(conversation);
  CHECK(codes(played.replies) == "220 250 220 250 503 221");
  CHECK(played.replies.find("250-STARTTLS\r\n") == played.replies.rfind("250-STARTTLS\r\n"));
  CHECK(played.replies.find("250-STARTTLS\r\n") < played.replies.find("220 2.0.0"));
  conversation.settings.policy.tls = TlsUse::off;
  played = play(conversation);
  CHECK(codes(played.replies) == "220 250 502");
  CHECK(played.replies.find("250-STARTTLS") == std::string::npos);
  conversation.settings.policy.tls = TlsUse::preferred;
  conversation.tls_packets.reset();
  CHECK(codes(play(conversation).replies) == "220 250 502");
}

TEST_CASE("what stands behind STARTTLS in clear is thrown away") {
  for (const std::string& injected :
       {std::string("RSET\r\n"), kMail, std::string("QUIT\r\n"), std::string("x"), std::string(5000, 'y'),
        std::string("a\nb"), std::string("EHLO c\r\n") + kMessage}) {
    CAPTURE(injected);
    const Played played = play(secured({"EHLO c\r\n", "STARTTLS\r\n" + injected},
                                       {"RCPT TO:<a@example.org>\r\n", "EHLO d\r\n", "QUIT\r\n"}));
    CHECK(codes(played.replies) == "220 250 220 503 250 221");
    CHECK(played.handed_on.empty());
  }
}

TEST_CASE("what was said before the handshake is forgotten") {
  const Played played =
      play(secured({"EHLO c\r\n", kMail + "RCPT TO:<a@example.org>\r\nSTARTTLS\r\n"},
                   {kMail, "RCPT TO:<a@example.org>\r\n", "EHLO d\r\n", "RSET\r\n", "QUIT\r\n"}));
  CHECK(codes(played.replies) == "220 250 250 250 220 503 503 250 250 221");
}

TEST_CASE("the field that we add says how the message came") {
  Conversation conversation = secured({"EHLO c\r\n", "STARTTLS\r\n"}, {"EHLO d\r\n", kMessage, "QUIT\r\n"});
  Played played = play(conversation);
  REQUIRE(played.handed_on.size() == 1);
  CHECK(played.handed_on[0].received.find(
            "\n  (TLSv1.3 cipher TLS_AES_256_GCM_SHA384 bits 256)\n  by mx.example.org with ESMTPS id ") !=
        std::string::npos);
  conversation.tls_facts.peer_fingerprint = std::string(64, 'a');
  conversation.tls_facts.peer_subject = "CN=a)\\ (b\nX-Forged: \"yes\"";
  played = play(conversation);
  REQUIRE(played.handed_on.size() == 1);
  CHECK(played.handed_on[0].received.find("client certificate CN=a?? ?b?X-Forged: ?yes?, not verified)\n") !=
        std::string::npos);
  conversation.tls_packets = {{"HELO d\r\n", "MAIL FROM:<s@client.example>\r\n",
                               "RCPT TO:<a@example.org>\r\n", "DATA\r\n", "x\r\n.\r\n"}};
  played = play(conversation);
  REQUIRE(played.handed_on.size() == 1);
  CHECK(played.handed_on[0].received.find(" with SMTP id ") != std::string::npos);
  conversation.tls_packets = {{"EHLO d\r\n", "MAIL FROM:<s@client.example> SMTPUTF8\r\n",
                               "RCPT TO:<a@example.org>\r\n", "DATA\r\n", "x\r\n.\r\n"}};
  played = play(conversation);
  REQUIRE(played.handed_on.size() == 1);
  CHECK(played.handed_on[0].received.find(" with UTF8SMTPS id ") != std::string::npos);
  // An external server that does not say what it uses.
  conversation.tls_facts = {};
  conversation.tls_packets = {{"EHLO d\r\n", kMessage}};
  played = play(conversation);
  REQUIRE(played.handed_on.size() == 1);
  CHECK(played.handed_on[0].received.find("]\n  by") == std::string::npos);
  CHECK(played.handed_on[0].received.find("])\n  by mx.example.org with ESMTPS id ") != std::string::npos);
}

TEST_CASE("a policy that requires TLS lets nobody send without it") {
  Conversation conversation = secured(
      {"EHLO c\r\n", "NOOP\r\n", "RSET\r\n", kMail, "RCPT TO:<a@example.org>\r\n", kMessage, "QUIT\r\n"}, {});
  conversation.settings.policy.tls = TlsUse::required;
  Played played = play(conversation);
  CHECK(codes(played.replies) == "220 250 250 250 530 503 530 503 503 221");
  CHECK(played.replies.find("530 5.7.0 ") != std::string::npos);
  CHECK(played.handed_on.empty());
  conversation.packets = {"EHLO c\r\n", "STARTTLS\r\n"};
  conversation.tls_packets = {{"EHLO d\r\n", kMessage, "QUIT\r\n"}};
  CHECK(play(conversation).handed_on.size() == 1);
  // Where we cannot do what we ask for it is for now.
  conversation.packets = {"EHLO c\r\n", kMail};
  conversation.tls_packets.reset();
  CHECK(codes(play(conversation).replies) == "220 250 454");
}

TEST_CASE("TLS that is away leaves the conversation as it was; a handshake that fails ends it") {
  Conversation conversation = secured({"EHLO c\r\n", "STARTTLS\r\n", kMessage, "QUIT\r\n"}, {kMessage});
  conversation.tls_is_away = true;
  Played played = play(conversation);
  CHECK(codes(played.replies) == "220 250 454 250 250 250 221");
  CHECK(played.handed_on.size() == 1);
  conversation.tls_is_away = false;
  conversation.tls_fails = true;
  played = play(conversation);
  CHECK(codes(played.replies) == "220 250 220");
  CHECK(played.handed_on.empty());
}

TEST_CASE("TLS from the first byte comes before the greeting") {
  Conversation conversation =
      secured({"EHLO clear\r\n"}, {"EHLO c\r\n", "STARTTLS\r\n", kMessage, "QUIT\r\n"});
  conversation.tls_immediate = true;
  Played played = play(conversation);
  CHECK(codes(played.replies) == "220 250 503 250 250 250 221");
  CHECK(played.handed_on.size() == 1);
  conversation.tls_fails = true;
  CHECK(play(conversation).replies.empty());
  // Whoever is sent away gets no handshake, and no words that it could not read.
  conversation.tls_fails = false;
  conversation.settings.policy.rule = AccessRule::reject;
  CHECK(play(conversation).replies.empty());
  conversation.settings.policy.rule = AccessRule::accept;
  conversation.settings.policy.name = "FEW";
  conversation.settings.policy.max_connections = 1;
  for (const uint16_t code : std::array<uint16_t, 2>{0, 554}) {
    CAPTURE(code);
    conversation.settings.policy.too_many_connections.code = code;
    conversation.rules.trial = Trial{
        .command = [](std::string_view) {},
        .decided = [](const Decision&) {},
        .judged = [](const RecipientVerdict&) {},
        .ask_rates =
            [](std::span<const RateCheck>) { return RateAnswer{.over = true, .check = 0, .count = 1}; }};
    conversation.tls_immediate = true;
    CHECK(play(conversation).replies.empty());
    conversation.tls_immediate = false;
    CHECK(codes(play(conversation).replies) == (code == 0 ? "421" : "554"));
  }
}
