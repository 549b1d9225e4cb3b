#include "smtpd/session.h"

#include <doctest/doctest.h>

#include "lib/text.h"
#include "tests/smtpd_conversation.h"
#include "tests/unit/scratch.h"

using namespace postern;
using namespace postern::smtpd;

namespace {

const std::string kBegin = "MAIL FROM:<s@client.example>\r\nRCPT TO:<a@example.org>\r\n";

// The codes of the replies, in order, and how often each line but the last of a reply came.
std::string codes(const std::string& replies) {
  std::string all;
  for (const std::string_view line : split(replies, '\n')) {
    if (line.size() > 3 && line[3] == ' ') all.append(all.empty() ? "" : " ").append(line.substr(0, 3));
  }
  return all;
}

Played play_packets(std::vector<std::string> packets, BareLineEnds mode = BareLineEnds::refuse) {
  Conversation conversation;
  conversation.packets = {"EHLO client.example\r\n"};
  for (std::string& packet : packets) conversation.packets.push_back(std::move(packet));
  conversation.rules.message->text.bare_line_ends = mode;
  return play(conversation);
}

}  // namespace

TEST_CASE("a message by DATA and one by BDAT are the same") {
  const Played data = play_packets({kBegin + "DATA\r\n", "Subject: x\r\n\r\n..dot\r\n.\r\n", "QUIT\r\n"});
  CHECK(codes(data.replies) == "220 250 250 250 354 250 221");
  const Played chunks = play_packets(
      {kBegin + "BDAT 14\r\nSubject: x\r\n\r\nBDAT 0\r\nBDAT 3\r\n.doBDAT 3 last\r\nt\r\nQUIT\r\n"});
  CHECK(codes(chunks.replies) == "220 250 250 250 250 250 250 250 221");
  REQUIRE(data.handed_on.size() == 1);
  REQUIRE(chunks.handed_on.size() == 1);
  CHECK(data.handed_on[0].message == "Subject: x\n\n.dot\n");
  CHECK(chunks.handed_on[0].message == data.handed_on[0].message);
}

TEST_CASE("control/badhelo does not count for who is to log in") {
  const ScratchHome home;
  home.write("control/badhelo", "friend\n");
  Conversation conversation;
  conversation.packets = {"EHLO friend\r\n", "QUIT\r\n"};
  CHECK(codes(play(conversation).replies) == "220 451 221");  // nobody answers
  conversation.settings.policy.auth = AuthUse::required;
  CHECK(codes(play(conversation).replies) == "220 250 221");
}

TEST_CASE("the bytes of a refused chunk are never read as commands") {
  const std::string inside = kBegin + "DATA\r\n.\r\n";
  const std::string chunk = "BDAT " + std::to_string(inside.size()) + " LAST\r\n" + inside;
  struct Case {
    std::string input, codes;
  };
  const Case cases[] = {
      {chunk, "503"},
      {"MAIL FROM:<s@client.example>\r\n" + chunk, "250 554"},
      {kBegin + "BDAT " + std::to_string(inside.size()) + " FIRST\r\n" + inside + "RSET\r\n",
       "250 250 501 250"},
      {kBegin + "BDAT " + std::to_string(inside.size()) + " LAST LAST\r\n" + inside + "RSET\r\n",
       "250 250 501 250"},
      {kBegin + "BDAT 1\r\naBDAT 6 FIRST\r\nQUIT\r\nBDAT 1 LAST\r\ncRSET\r\n", "250 250 250 501 503 250"},
      {kBegin + "BDAT 6 FIRST\r\nQUIT\r\nBDAT 1 LAST\r\ncRSET\r\n", "250 250 501 503 250"},
      {"MAIL FROM:<>\r\nBDAT 1\r\naRCPT TO:<b@example.org>\r\nBDAT 1 LAST\r\nbRSET\r\n",
       "250 554 503 503 250"},
      {kBegin + "BDAT\r\n" + inside, "250 250 501"},
      {kBegin + "BDAT x\r\n" + inside, "250 250 501"},
      {kBegin + "BDAT -1\r\n" + inside, "250 250 501"},
      {kBegin + "BDAT 99999999999999999999999\r\n" + inside, "250 250 501"},
      {"MAIL FROM:<s@client.example>\r\nBDAT 99999999999999\r\n" + inside, "250 554"},
      {kBegin + "BDAT 1\r\nxDATA\r\n", "250 250 250 503"},
      {kBegin + "BDAT 1\r\nxRCPT TO:<b@example.org>\r\n", "250 250 250 503"},
      {kBegin + "BDAT 1\r\nxMAIL FROM:<>\r\n", "250 250 250 503"},
      {kBegin + "BDAT 1\r\nxRSET\r\nBDAT 1 LAST\r\nxRSET\r\n", "250 250 250 250 503 250"},
      // Refused for what it holds: the next chunks are refused, and read.
      {kBegin + "BDAT 2\r\na\nBDAT 4\r\nQUITBDAT 6 LAST\r\nQUIT\r\nRSET\r\n", "250 250 250 503 554 250"},
      {kBegin + "BDAT 2 LAST\r\na\r", "250 250 554"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.input);
    const Played played = play_packets({c.input});
    CHECK(played.handed_on.empty());
    if (c.input.find("a\nBDAT") == std::string::npos) CHECK(codes(played.replies) == "220 250 " + c.codes);
  }
}

TEST_CASE("a chunk that is cut off is no message") {
  CHECK(play_packets({kBegin + "BDAT 10 LAST\r\n123456789"}).handed_on.empty());
  CHECK(play_packets({kBegin + "BDAT 10\r\n1234567890"}).handed_on.empty());
  CHECK(play_packets({kBegin + "BDAT 10\r\n1234567890", "BDAT 0 LAST\r\n"}).handed_on.size() == 1);
}

TEST_CASE("a chunk that ends between CR and LF is whole text") {
  const Played played = play_packets({kBegin + "BDAT 2\r\na\rBDAT 2 LAST\r\n\nb"});
  REQUIRE(played.handed_on.size() == 1);
  CHECK(played.handed_on[0].message == "a\nb");
}

TEST_CASE("a message in chunks is bounded by all of them together") {
  Conversation conversation;
  conversation.rules.message_limit_bytes = 10;
  conversation.packets = {"EHLO c\r\n", kBegin + "BDAT 10\r\n1234567890BDAT 1 LAST\r\nxRSET\r\n"};
  const Played played = play(conversation);
  CHECK(codes(played.replies) == "220 250 250 250 250 552 250");
  CHECK(played.handed_on.empty());
}

TEST_CASE("input behind a command that must wait ends the session") {
  for (const std::string command : {"NOOP", "VRFY a", "EXPN a", "EHLO c", "HELO c"}) {
    CAPTURE(command);
    CHECK(codes(play_packets({command + "\r\nRSET\r\n"}).replies) == "220 250 554");
    CHECK(codes(play_packets({command + "\r\n", "RSET\r\n"}).replies).ends_with("250"));
  }
  const Played data = play_packets({kBegin + "DATA\r\nSubject: x\r\n.\r\n"});
  CHECK(codes(data.replies) == "220 250 250 250 554");
  CHECK(data.handed_on.empty());
  // Without EHLO nothing may be sent ahead.
  Conversation plain;
  plain.packets = {"HELO c\r\n", "MAIL FROM:<>\r\nRCPT TO:<a@example.org>\r\n"};
  CHECK(codes(play(plain).replies) == "220 250 554");
  // But for the chunk of a BDAT, which is read whatever the answer is.
  plain.packets = {"BDAT 6 LAST\r\nQUIT\r\n", "QUIT\r\n"};
  CHECK(codes(play(plain).replies) == "220 503 221");
  plain.packets = {"HELO c\r\n", "MAIL FROM:<>\r\n", "RCPT TO:<a@example.org>\r\n", "QUIT\r\nNOOP\r\n"};
  CHECK(codes(play(plain).replies) == "220 250 250 250 221");
}

TEST_CASE("what follows the end of data may have been sent ahead") {
  const Played played = play_packets(
      {kBegin + "DATA\r\n", "one\r\n.\r\n" + kBegin + "DATA\r\n", "two\r\n.\r\nRSET\r\nQUIT\r\n"});
  CHECK(codes(played.replies) == "220 250 250 250 354 250 250 250 354 250 250 221");
  REQUIRE(played.handed_on.size() == 2);
  CHECK(played.handed_on[1].message == "two\n");
}

TEST_CASE("the three ways with bare line ends") {
  const std::string text = "a\nb\rc\r\n.d\n.e\r.f\r\r\n.\n.\r\nx\r\n.\r\n";
  const Played refused = play_packets({kBegin + "DATA\r\n", text});
  CHECK(codes(refused.replies) == "220 250 250 250 354 554");
  CHECK(refused.handed_on.empty());
  const Played stripped = play_packets({kBegin + "DATA\r\n", text}, BareLineEnds::strip);
  REQUIRE(stripped.handed_on.size() == 1);
  CHECK(stripped.handed_on[0].message == "a\nbc\nd\n.e.f\n\n.\nx\n");
  const Played allowed = play_packets({kBegin + "DATA\r\n", text}, BareLineEnds::allow);
  REQUIRE(allowed.handed_on.size() == 1);
  CHECK(allowed.handed_on[0].message == "a\nb\rc\nd\n.e\r.f\r\n\n.\nx\n");
}

TEST_CASE("recipients beyond the limit: nobody is asked about them, and their number has an end") {
  Conversation conversation;
  conversation.rules.recipients->limit = 2;
  const auto recipients = [](size_t count) {
    std::string all;
    while (count-- > 0) all += "RCPT TO:<a@example.org>\r\n";
    return all;
  };
  const std::string mail = "MAIL FROM:<s@client.example>\r\n";
  const auto count_of = [](const Played& played, std::string_view code) {
    size_t count = 0;
    for (const std::string_view line : split(played.replies, '\n')) count += line.starts_with(code) ? 1 : 0;
    return count;
  };
  // What would be refused is not even looked at.
  conversation.packets = {"EHLO c\r\n", mail + recipients(2) + "RCPT TO:<a@elsewhere.example>\r\nQUIT\r\n"};
  CHECK(codes(play(conversation).replies) == "220 250 250 250 250 452 221");
  // As long a list as anybody sends is taken in parts, again and again.
  conversation.packets = {"EHLO c\r\n"};
  for (int i = 0; i < 2; ++i) {
    conversation.packets.push_back(mail + recipients(1002) + "BDAT 3 LAST\r\nx\r\n");
  }
  Played played = play(conversation);
  CHECK(count_of(played, "452") == 2000);
  CHECK(count_of(played, "421") == 0);
  // Without a message that ends.
  conversation.packets = {"EHLO c\r\n", mail + recipients(802) + "RSET\r\n", mail + recipients(802)};
  played = play(conversation);
  CHECK(count_of(played, "452") == 1000);
  CHECK(count_of(played, "421 4.7.0 ") == 1);
}

TEST_CASE("who is refused later gets no more MAIL than others, and its errors are counted") {
  Conversation conversation;
  conversation.settings.policy.rule = AccessRule::reject;
  conversation.settings.policy.delayed_reject = true;
  conversation.rules.error_limit = 5;
  const std::string mail = "MAIL FROM:<s@client.example>\r\n";
  conversation.packets = {"EHLO c\r\n", mail + mail + "RCPT TO:<a@example.org>\r\nRSET\r\n",
                          mail + mail + mail + mail + mail};
  CHECK(codes(play(conversation).replies) == "220 250 250 503 554 250 250 503 503 421");
}

TEST_CASE("the extras of the envelope are kept") {
  const Played played = play_packets(
      {"MAIL FROM:<s\xc3\xa4@m\xc3\xbcnchen.example> smtputf8 RET=hdrs ENVID=a+20b BODY=8bitmime\r\n"
       "RCPT TO:<a@example.org> NOTIFY=delay,SUCCESS ORCPT=rfc822;b@c\r\n"
       "RCPT TO:<\xc3\xa4@example.org> NOTIFY=never ORCPT=utf-8;\xc3\xa4@c\r\n"
       "RCPT TO:<c@example.org>\r\nDATA\r\n",
       ".\r\n"});
  REQUIRE(played.handed_on.size() == 1);
  const Envelope& envelope = played.handed_on[0].envelope;
  CHECK(envelope.sender == "s\xc3\xa4@xn--mnchen-3ya.example");
  CHECK(envelope.smtputf8);
  CHECK(envelope.ret == "HDRS");
  CHECK(envelope.envid == "a+20b");
  CHECK(envelope.body == "8BITMIME");
  REQUIRE(envelope.recipients.size() == 3);
  CHECK(envelope.recipients[0].notify == "SUCCESS,DELAY");
  CHECK(envelope.recipients[0].orcpt == "rfc822;b@c");
  CHECK(envelope.recipients[1].address == "\xc3\xa4@example.org");
  CHECK(envelope.recipients[1].notify == "NEVER");
  CHECK(envelope.recipients[1].orcpt == "utf-8;\xc3\xa4@c");
  CHECK(envelope.recipients[2].notify.empty());
  CHECK(played.handed_on[0].received.find(" with UTF8SMTP id ") != std::string::npos);
}

TEST_CASE("only exit code 0 is a yes") {
  for (const int code : {0, 31, 53, 82, 111}) {
    CAPTURE(code);
    Conversation conversation;
    conversation.queue = [&](const HandedOn&) { return QueueAnswer{.exit_code = code, .reason = "Zlater"}; };
    conversation.packets = {"EHLO c\r\n", kBegin + "DATA\r\n", ".\r\n"};
    const std::string got = codes(play(conversation).replies);
    CHECK(got == std::string("220 250 250 250 354 ") + (code == 0 ? "250" : code == 31 ? "554" : "451"));
  }
}

TEST_CASE("a bounce is taken, marked or refused by its recipient's tag") {
  for (const BounceTags action : {BounceTags::off, BounceTags::header, BounceTags::reject}) {
    Conversation conversation;
    conversation.settings.policy.bounce_tags = action;
    conversation.rules.ask = [](std::string_view, const Request& request, int64_t) -> Result<postern::Reply> {
      const bool good = request.arguments[1] == "prvs=0786aabbcc=bob@example.org";
      return postern::Reply{.exit_code = 0,
                            .output = std::string(good ? "valid" : "forged") + "\tbob@example.org\n"};
    };
    const std::string data = "DATA\r\n";
    conversation.packets = {
        "EHLO c\r\n", "MAIL FROM:<>\r\nRCPT TO:<prvs=0786aabbcc=bob@example.org>\r\n" + data, "good\r\n.\r\n",
        "MAIL FROM:<>\r\nRCPT TO:<prvs=0786ffffff=bob@example.org>\r\n" + data, "bad\r\n.\r\n"};
    if (action == BounceTags::reject) conversation.packets.pop_back();
    const Played played = play(conversation);
    const bool refuses = action == BounceTags::reject;
    CHECK(codes(played.replies) ==
          std::string("220 250 250 250 354 250 250 ") + (refuses ? "550 554" : "250 354 250"));
    REQUIRE(played.handed_on.size() == (refuses ? 1 : 2));
    for (const HandedOn& one : played.handed_on) {
      CHECK(one.envelope.recipients[0].address == "bob@example.org");
      const bool marked = (one.received + one.message).find("X-Postern-Invalid-Bounce: forged\n") == 0;
      CHECK(marked == (action == BounceTags::header && one.message.ends_with("bad\n")));
    }
  }
}

TEST_CASE(
    "where untagged automatic replies are taken, other mail without a tag is refused behind its header") {
  const std::string reply = "Auto-Submitted: auto-replied (vacation)\r\n";
  const std::string report = "Content-Type: multipart/report; report-type=delivery-status\r\n";
  struct Row {
    std::string sender, recipients, header, codes;
  };
  const std::string one = "RCPT TO:<bob@example.org>\r\n";
  const std::string tagged = "RCPT TO:<prvs=0786aabbcc=bob@example.org>\r\n";
  const Row rows[] = {
      {"", one, reply, "250 250 354 250"},
      {"", one, "", "250 250 354 550"},
      {"", one, "Auto-Submitted: auto-generated\r\n", "250 250 354 550"},
      {"", one, reply + report, "250 250 354 550"},
      {"", tagged, "", "250 250 354 250"},
      // Each kind comes by itself, or one that always passes would carry the other past the question.
      {"", one + one + tagged, "", "250 250 250 452 354 550"},
      {"", one + tagged, reply, "250 250 452 354 250"},
      {"", tagged + one, "", "250 250 452 354 250"},
      {"s@client.example", one, "", "250 250 354 250"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.header);
    CAPTURE(row.recipients);
    Conversation conversation;
    conversation.settings.policy.bounce_tags = BounceTags::reject;
    conversation.settings.policy.untagged_replies_valid = true;
    conversation.rules.ask = [](std::string_view, const Request& request, int64_t) -> Result<postern::Reply> {
      const bool has_tag = request.arguments[1].starts_with("prvs=");
      return postern::Reply{.exit_code = 0,
                            .output = std::string(has_tag ? "valid" : "untagged") + "\tbob@example.org\n"};
    };
    conversation.packets = {"EHLO c\r\n", "MAIL FROM:<" + row.sender + ">\r\n" + row.recipients + "DATA\r\n",
                            row.header + "\r\nbody\r\n.\r\n"};
    const Played played = play(conversation);
    CHECK(codes(played.replies) == "220 250 " + row.codes);
    for (const HandedOn& one_of_them : played.handed_on) {
      const bool marked =
          (one_of_them.received + one_of_them.message).find("X-Postern-Invalid-Bounce: untagged\n") == 0;
      CHECK(marked == (row.sender.empty() && !row.recipients.starts_with(tagged)));
    }
  }
}

TEST_CASE("forged bounces say nothing of what a client knows of our recipients") {
  Conversation conversation;
  conversation.settings.policy.bounce_tags = BounceTags::reject;
  conversation.settings.policy.max_invalid_recipients = 1;
  conversation.rules.ask = [](std::string_view, const Request&, int64_t) -> Result<postern::Reply> {
    return postern::Reply{.exit_code = 0, .output = "untagged\tbob@example.org\n"};
  };
  const std::string rcpt = "RCPT TO:<bob@example.org>\r\n";
  conversation.packets = {"EHLO c\r\n", "MAIL FROM:<>\r\n" + rcpt + rcpt + rcpt};
  CHECK(codes(play(conversation).replies) == "220 250 250 550 550 550");
}

TEST_CASE("the Received field can be left out") {
  Conversation conversation;
  conversation.settings.policy.received_header = false;
  conversation.packets = {"EHLO c\r\n", kBegin + "DATA\r\n", "Subject: x\r\n\r\nbody\r\n.\r\n"};
  const Played played = play(conversation);
  REQUIRE(played.handed_on.size() == 1);
  CHECK(played.handed_on[0].received + played.handed_on[0].message == "Subject: x\n\nbody\n");
}

TEST_CASE("XCLIENT is for those alone whom control/proxies lists, and ends the session") {
  Conversation conversation;
  conversation.packets = {"EHLO c\r\n", "XCLIENT ADDR=192.0.2.9\r\n", "QUIT\r\n"};
  Played played = play(conversation);
  CHECK(codes(played.replies) == "220 250 500 221");
  CHECK(played.replies.find("XCLIENT") == std::string::npos);
  conversation.settings.may_xclient = true;
  conversation.packets = {
      "EHLO c\r\n", "XCLIENT ADDR=here\r\n",      "MAIL FROM:<>\r\n", "XCLIENT ADDR=192.0.2.9\r\n",
      "RSET\r\n",   "XCLIENT ADDR=192.0.2.9\r\n", "NOOP\r\n"};
  played = play(conversation);
  CHECK(codes(played.replies) == "220 250 501 250 503 250");  // what comes then is the next session's
  CHECK(played.replies.find("250-XCLIENT NAME ADDR ") != std::string::npos);
  // It ends its group: what another has put behind it is not said by the new client.
  conversation.packets = {"EHLO c\r\n", "XCLIENT ADDR=192.0.2.9\r\nMAIL FROM:<>\r\n"};
  CHECK(codes(play(conversation).replies) == "220 250 554");
}
