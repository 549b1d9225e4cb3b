#include <doctest/doctest.h>

#include "auth/exchange.h"
#include "lib/base64.h"
#include "lib/text.h"
#include "scratch.h"
#include "tests/smtpd_conversation.h"

using namespace postern;
using namespace postern::smtpd;

namespace {

const std::string kNul(1, '\0');
const std::string kPlain = base64(kNul + "alice" + kNul + "pencil");
const std::string kWrong = base64(kNul + "alice" + kNul + "crayon");
const std::string kMail = "MAIL FROM:<alice@example.org>\r\n";
const std::string kFar = "RCPT TO:<x@far.example>\r\n";

std::string codes(const std::string& replies) {
  std::string all;
  for (const std::string_view line : split(replies, '\n')) {
    if (line.size() > 3 && line[3] == ' ') all.append(all.empty() ? "" : " ").append(line.substr(0, 3));
  }
  return all;
}

// authq without its process: the same steps, and one user.
Result<postern::Reply> ask_here(const std::string& mechanism, const std::string& state,
                                const Secret* response, const Settings&) {
  static const auth::Key kKey(std::string(32, 'k'));
  const auth::Checks checks{
      .password =
          [](const std::string& user, const Secret& password) {
            if (user == "down") return auth::Verdict::unavailable;
            if (user == "doubt") return auth::Verdict::doubtful;
            return user == "alice" && password.view() == "pencil" ? auth::Verdict::yes : auth::Verdict::no;
          },
      .verifier = [](const std::string&) { return auth::make_verifier("pencil", "0123456789abcdef", 4096); },
      .nonce = [] { return std::string("server"); }};
  const auth::Step step = auth::take_step(kKey, checks, mechanism, state, response, 1795000000);
  using Kind = auth::Step::Kind;
  switch (step.kind) {
    case Kind::authenticated:
      return postern::Reply{0, step.user + "\t" + base64(step.challenge)};
    case Kind::go_on:
      return postern::Reply{2, step.state + "\t" + base64(step.challenge)};
    case Kind::refused:
      return postern::Reply{1, "1\t" + step.user};
    case Kind::not_understood:
      return postern::Reply{4, ""};
    case Kind::unknown_mechanism:
      return postern::Reply{5, ""};
    case Kind::unavailable:
      return postern::Reply{111, ""};
    case Kind::doubtful:
      return postern::Reply{111, "1\t" + step.user};
  }
  return postern::Reply{};
}

Conversation conversation(std::vector<std::string> packets, AuthUse use = AuthUse::preferred) {
  Conversation made;
  made.settings.policy.auth = use;
  made.tls = true;
  made.ask_auth = ask_here;
  made.packets = {"EHLO c\r\n"};
  for (std::string& packet : packets) made.packets.push_back(std::move(packet));
  return made;
}

std::string codes_of(std::vector<std::string> packets, AuthUse use = AuthUse::preferred) {
  return codes(play(conversation(std::move(packets), use)).replies);
}

}  // namespace

TEST_CASE("AUTH is offered under TLS, or where the policy says that it may be seen") {
  const std::string offer = "250-AUTH SCRAM-SHA-256 PLAIN LOGIN\r\n";
  const std::string try_it = "AUTH PLAIN " + kPlain + "\r\n";
  struct Row {
    AuthUse use;
    bool tls, without;
    bool offered;
    const char* reply;
  };
  for (const Row& row :
       {Row{AuthUse::off, true, true, false, "502"}, Row{AuthUse::preferred, false, false, false, "538"},
        Row{AuthUse::preferred, true, false, true, "235"}, Row{AuthUse::preferred, false, true, true, "235"},
        Row{AuthUse::required, true, false, true, "235"}}) {
    Conversation c = conversation({try_it}, row.use);
    c.tls = row.tls;
    c.settings.policy.auth_without_tls = row.without;
    const Played played = play(c);
    CHECK((played.replies.find(offer) != std::string::npos) == row.offered);
    CHECK(codes(played.replies) == std::string("220 250 ") + row.reply);
  }
  Conversation plain = conversation({});
  plain.packets = {"HELO c\r\n", try_it};
  CHECK(codes(play(plain).replies) == "220 250 503");
}

TEST_CASE("each mechanism, with an initial response and without") {
  CHECK(codes_of({"AUTH PLAIN " + kPlain + "\r\n"}) == "220 250 235");
  CHECK(codes_of({"auth plain\r\n", kPlain + "\r\n"}) == "220 250 334 235");
  CHECK(codes_of({"AUTH LOGIN\r\n", base64("alice") + "\r\n", base64("pencil") + "\r\n"}) ==
        "220 250 334 334 235");
  CHECK(codes_of({"AUTH LOGIN " + base64("alice") + "\r\n", base64("pencil") + "\r\n"}) == "220 250 334 235");
  // The server's last word of SCRAM has to be acknowledged.
  const std::string first = "n,,n=alice,r=client";
  const std::string said = "r=clientserver,s=" + base64("0123456789abcdef") + ",i=4096";
  const std::string without = "c=biws,r=clientserver";
  const auth::ScramVerifier verifier = *auth::make_verifier("pencil", "0123456789abcdef", 4096);
  // ClientKey is not kept by a server: derived from the password as a client does.
  std::string salted(32, '\0');
  {
    std::string block =
        auth::hmac_sha256("pencil", std::string("0123456789abcdef") + std::string("\0\0\0\1", 4));
    salted = block;
    for (int i = 1; i < 4096; ++i) {
      block = auth::hmac_sha256("pencil", block);
      for (size_t k = 0; k < 32; ++k) salted[k] = static_cast<char>(salted[k] ^ block[k]);
    }
  }
  const std::string key = auth::hmac_sha256(salted, "Client Key");
  std::string proof = auth::hmac_sha256(verifier.stored_key, first.substr(3) + "," + said + "," + without);
  for (size_t k = 0; k < 32; ++k) proof[k] = static_cast<char>(proof[k] ^ key[k]);
  const std::string final = base64(without + ",p=" + base64(proof)) + "\r\n";
  const std::string begin = "AUTH SCRAM-SHA-256 " + base64(first) + "\r\n";
  CHECK(codes_of({begin, final, "\r\n"}) == "220 250 334 334 235");
  CHECK(codes_of({begin, final, "AAAA\r\n", "NOOP\r\n"}) == "220 250 334 334 501 250");
  CHECK(codes_of({begin, final, "*\r\n", kMail + kFar}) == "220 250 334 334 501 250 550");
}

TEST_CASE("an exchange ends as the client or the server wants it") {
  CHECK(codes_of({"AUTH PLAIN\r\n", "*\r\n", "NOOP\r\n"}) == "220 250 334 501 250");
  CHECK(codes_of({"AUTH PLAIN\r\n", "!!!\r\n", "NOOP\r\n"}) == "220 250 334 501 250");
  const std::string scram = "AUTH SCRAM-SHA-256 " + base64("n,,n=alice,r=client") + "\r\n";
  CHECK(codes_of({scram, "*\r\n", scram, "AAAA\r\n", scram, "*\r\n", "NOOP\r\n"}) ==
        "220 250 334 501 334 501 334 501 421");
  CHECK(codes_of({"AUTH PLAIN =\r\n", "NOOP\r\n"}) == "220 250 501 250");
  CHECK(codes_of({"AUTH\r\n"}) == "220 250 501");
  CHECK(codes_of({"AUTH PLAIN a b\r\n"}) == "220 250 501");
  CHECK(codes_of({"AUTH CRAM-MD5\r\n"}) == "220 250 504");
  CHECK(codes_of({"AUTH SCRAM-SHA-256-PLUS\r\n"}) == "220 250 504");
  CHECK(codes_of({"AUTH PLAIN " + kPlain + "\r\n", "AUTH PLAIN " + kPlain + "\r\n"}) == "220 250 235 503");
  CHECK(codes_of({kMail, "AUTH PLAIN " + kPlain + "\r\n"}) == "220 250 250 503");
  // The client cannot know that its MAIL was only taken so that RCPT is refused.
  Conversation late = conversation(
      {kMail, "AUTH PLAIN " + kPlain + "\r\n", "RSET\r\n", "AUTH PLAIN " + kPlain + "\r\n", kMail + kFar});
  late.settings.policy.rule = AccessRule::reject;
  late.settings.policy.delayed_reject = true;
  CHECK(codes(play(late).replies) == "220 250 250 503 250 235 250 250");
  CHECK(codes_of({"AUTH PLAIN\r\n", std::string(5000, 'A') + "\r\n", "NOOP\r\n"}) == "220 250 334 500 250");
  CHECK(codes_of({"AUTH PLAIN\r\n", kPlain + "\n", "x\r\nNOOP\r\n"}) == "220 250 334 500 250");
  CHECK(codes_of({"AUTH PLAIN\r\n"}) == "220 250 334");
  CHECK(codes_of({"AUTH PLAIN " + base64(kNul + "down" + kNul + "x") + "\r\n", "NOOP\r\n"}) ==
        "220 250 454 250");
  Conversation away = conversation({"AUTH PLAIN " + kPlain + "\r\n", kMail + kFar});
  away.ask_auth = nobody_there;
  CHECK(codes(play(away).replies) == "220 250 454 250 550");
}

TEST_CASE("nothing is sent ahead of AUTH's replies") {
  CHECK(codes_of({"AUTH PLAIN " + kPlain + "\r\nNOOP\r\n"}) == "220 250 554");
  CHECK(codes_of({"AUTH PLAIN\r\n" + kPlain + "\r\n"}) == "220 250 554");
  CHECK(codes_of({"AUTH LOGIN\r\n", base64("alice") + "\r\n" + base64("pencil") + "\r\n"}) ==
        "220 250 334 554");
}

TEST_CASE("whoever guesses is sent away") {
  const std::string wrong = "AUTH PLAIN " + kWrong + "\r\n";
  CHECK(codes_of({wrong, "AUTH PLAIN " + kPlain + "\r\n"}) == "220 250 535 235");
  CHECK(codes_of({wrong, wrong, wrong, wrong}) == "220 250 535 535 535 421");
  // Where one checker said no and another could not tell.
  const std::string doubtful = "AUTH PLAIN " + base64(kNul + "doubt" + kNul + "x") + "\r\n";
  CHECK(codes_of({doubtful, wrong, doubtful, doubtful}) == "220 250 454 535 454 421");
  Conversation known = conversation({"AUTH PLAIN " + kPlain + "\r\n"});
  known.ask_auth = [](const std::string&, const std::string&, const Secret*, const Settings&) {
    return Result<postern::Reply>(postern::Reply{3, ""});
  };
  CHECK(codes(play(known).replies) == "220 250 421");
}

TEST_CASE("the time from the response to the reply does not tell how long a checker took") {
  for (const int64_t elapsed : {0, 1, 30, 499, 500}) CHECK(elapsed + rest_of_delay("500", elapsed) == 500);
  for (const int64_t elapsed : {501, 999, 1000}) CHECK(elapsed + rest_of_delay("500", elapsed) == 1000);
  CHECK(1 + rest_of_delay("0", 1) == 500);
  CHECK(rest_of_delay("99999999", 0) == 10000);
  CHECK(rest_of_delay("x", 0) == 10000);
}

TEST_CASE("who has authenticated may send anywhere, and the message says who it was") {
  const std::string auth = "AUTH PLAIN " + kPlain + "\r\n";
  CHECK(codes_of({kMail, kFar}) == "220 250 250 550");
  const Played played =
      play(conversation({auth, kMail + kFar + "DATA\r\n", "From: <a@b.example>\r\n.\r\nQUIT\r\n"}));
  CHECK(codes(played.replies) == "220 250 235 250 250 354 250 221");
  REQUIRE(played.handed_on.size() == 1);
  CHECK(played.handed_on[0].user == "alice");
  CHECK(played.handed_on[0].received.find(" with ESMTPSA id ") != std::string::npos);
  Conversation clear = conversation({auth, kMail + kFar + "DATA\r\n", ".\r\n"});
  clear.tls = false;
  clear.settings.policy.auth_without_tls = true;
  CHECK(play(clear).handed_on.at(0).received.find(" with ESMTPA id ") != std::string::npos);
  const Played nobody = play(conversation({kMail + "RCPT TO:<a@example.org>\r\nDATA\r\n", ".\r\n"}));
  CHECK(nobody.handed_on.at(0).received.find(" with ESMTPS id ") != std::string::npos);
  CHECK(nobody.handed_on.at(0).user.empty());

  CHECK(codes_of({kMail}, AuthUse::required) == "220 250 530");
  CHECK(codes_of({auth, kMail}, AuthUse::required) == "220 250 235 250");
}

TEST_CASE("the recipient hook is told of the user, and of none from before STARTTLS") {
  const ScratchHome home;
  home.write("control/rcptcheck", "hook\n");
  std::vector<std::string> users;
  const std::string mail = kMail + "RCPT TO:<b@example.org>\r\nRSET\r\n";
  Conversation made = conversation({mail, "AUTH PLAIN " + kPlain + "\r\n", mail, "STARTTLS\r\n"});
  made.settings.policy.auth_without_tls = true;
  made.tls = false;
  made.tls_packets = {{"EHLO c\r\n", mail, "QUIT\r\n"}};
  made.rules.ask = [&](std::string_view program, const Request& request, int64_t) -> Result<postern::Reply> {
    if (program != "hook") return temporary("nobody is there");
    users.push_back(request.environment.get_or("POSTERN_AUTH", "nobody"));
    return postern::Reply{0, ""};
  };
  CHECK(codes(play(made).replies) == "220 250 250 250 250 235 250 250 250 220 250 250 250 250 221");
  CHECK(users == std::vector<std::string>{"nobody", "alice", "nobody"});
}

TEST_CASE("MAIL takes AUTH= where AUTH is offered") {
  const auto mail = [](const std::string& parameter, AuthUse use = AuthUse::preferred) {
    return codes_of({"MAIL FROM:<a@b.example> " + parameter + "\r\n"}, use);
  };
  for (const char* right : {"AUTH=<>", "AUTH=a+40b.example", "auth=e+3Dmc2@example.com"}) {
    CAPTURE(right);
    CHECK(mail(right) == "220 250 250");
  }
  for (const char* wrong :
       {"AUTH", "AUTH=", "AUTH=x", "AUTH=+4", "AUTH=<a@b.example>", "AUTH=a@b.example>"}) {
    CAPTURE(wrong);
    CHECK(mail(wrong) == "220 250 501");
  }
  CHECK(mail("AUTH=<>", AuthUse::off) == "220 250 555");
}

TEST_CASE("with check_user a message is its user's own") {
  const auto send = [](const std::string& sender, const std::string& header) {
    Conversation c =
        conversation({"AUTH PLAIN " + kPlain + "\r\n", "MAIL FROM:<" + sender + ">\r\n" + kFar + "DATA\r\n",
                      header + "\r\n\r\n.\r\n", "NOOP\r\n"});
    c.settings.policy.check_user = true;
    c.rules.send_as = *SendAs::parse("alice: sales@example.org\n", "control/sendas", {"example.org"});
    const Played played = play(c);
    CHECK(played.handed_on.size() <= 1);
    return played.handed_on.size() == 1 ? "sent" : codes(played.replies);
  };
  CHECK(send("alice@example.org", "From: Alice <alice@example.org>") == "sent");
  CHECK(send("sales@example.org", "From: Alice <alice@example.org>") == "sent");
  CHECK(send("", "From: Alice <alice@example.org>") == "sent");
  CHECK(send("alice@example.org", "From: Boss <boss@example.org>") == "220 250 235 250 250 354 550 250");
  CHECK(send("alice@example.org", "Subject: x") == "220 250 235 250 250 354 550 250");
  CHECK(send("alice@example.org", "From: =?utf-8?q?boss=40example.org?= <alice@example.org>") ==
        "220 250 235 250 250 354 550 250");
  CHECK(send("boss@example.org", "From: Alice <alice@example.org>").starts_with("220 250 235 553 503 503"));
}
