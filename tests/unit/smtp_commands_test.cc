#include "remote/smtp_commands.h"

#include <doctest/doctest.h>
#include <sys/socket.h>

#include <memory>
#include <string>
#include <vector>

#include "scratch.h"

using namespace postern;

namespace {

// A session whose server has said this to EHLO.
std::unique_ptr<SmtpSession> session_with(const std::string& ehlo, const RemoteSettings& settings) {
  int pair[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
  const Fd server(pair[1]);
  std::unique_ptr<SmtpSession> session =
      SmtpSession::over(Fd(pair[0]), {"mx.test", "192.0.2.1", 25}, 1, settings.timeouts);
  REQUIRE(write_all(server.get(), "220 hi\r\n250-hi\r\n" + ehlo + "250 END\r\n", "write").ok());
  REQUIRE(session->greet(settings).ok());
  return session;
}

std::unique_ptr<SmtpSession> session_with(const std::string& ehlo) {
  RemoteSettings settings;
  settings.hello = "me.test";
  return session_with(ehlo, settings);
}

OutgoingMessage message_with(const Fd& file, const std::string& content) {
  OutgoingMessage message;
  message.fd = file.get();
  message.size = content.size();
  message.envelope.sender = "s@y.test";
  message.envelope.recipients.push_back({"a@x.test", "", ""});
  return message;
}

const std::string kAll = "250-SIZE 1000\r\n250-8bitmime\r\n250-DSN\r\n250-SMTPUTF8\r\n";

}  // namespace

TEST_CASE("a double bounce has the null reverse-path on the wire") {
  const Fd file = memory_with("x\n");
  OutgoingMessage message = message_with(file, "x\n");
  message.envelope.sender = "#@[]";
  CHECK(make_commands(message, *session_with("")).mail == "MAIL FROM:<>\r\n");
}

TEST_CASE("MAIL and RCPT say what the server offers and the message has, and nothing else") {
  const std::string content = "Subject: x\n\nbody\n";
  const Fd file = memory_with(content);
  struct Row {
    std::string ehlo, body, ret, envid, notify, orcpt;
    bool smtputf8;
    std::string mail, rcpt;
  };
  const std::vector<Row> rows = {
      {"", "", "", "", "", "", false, "MAIL FROM:<s@y.test>", "RCPT TO:<a@x.test>"},
      {"", "8BITMIME", "FULL", "e", "NEVER", "rfc822;a", true, "MAIL FROM:<s@y.test>", "RCPT TO:<a@x.test>"},
      {kAll, "", "", "", "", "", false, "MAIL FROM:<s@y.test> SIZE=20", "RCPT TO:<a@x.test>"},
      {kAll, "7BIT", "", "", "", "", false, "MAIL FROM:<s@y.test> SIZE=20", "RCPT TO:<a@x.test>"},
      {kAll, "8BITMIME", "HDRS", "id+2B", "SUCCESS,DELAY", "rfc822;o@x.test", true,
       "MAIL FROM:<s@y.test> SIZE=20 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=id+2B",
       "RCPT TO:<a@x.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;o@x.test"},
      {kAll, "", "", "", "NEVER", "", false, "MAIL FROM:<s@y.test> SIZE=20",
       "RCPT TO:<a@x.test> NOTIFY=NEVER ORCPT=rfc822;a@x.test"},
      {kAll, "", "", "", "", "rfc822;o@x.test", false, "MAIL FROM:<s@y.test> SIZE=20",
       "RCPT TO:<a@x.test> ORCPT=rfc822;o@x.test"},
      {kAll, "", "a b", "c\r\nRSET", "N\n", "o\x7f", false, "MAIL FROM:<s@y.test> SIZE=20",
       "RCPT TO:<a@x.test>"},
      {kAll, "", "", "", "", "rfc822;" + std::string(494, 'x'), false, "MAIL FROM:<s@y.test> SIZE=20",
       "RCPT TO:<a@x.test>"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.mail);
    OutgoingMessage message = message_with(file, content);
    message.envelope.body = row.body;
    message.envelope.ret = row.ret;
    message.envelope.envid = row.envid;
    message.envelope.smtputf8 = row.smtputf8;
    message.envelope.recipients[0].notify = row.notify;
    message.envelope.recipients[0].orcpt = row.orcpt;
    const EnvelopeCommands made = make_commands(message, *session_with(row.ehlo));
    CHECK_FALSE(made.refused);
    CHECK_FALSE(made.unfit);
    CHECK(made.mail == row.mail + "\r\n");
    CHECK(made.recipients[0].text == row.rcpt + "\r\n");
    CHECK(made.recipients[0].passes_notify == (row.rcpt.find("NOTIFY") != std::string::npos));
  }
}

TEST_CASE("an ORCPT goes on as it was given, its UTF-8 escaped where SMTPUTF8 is not in use") {
  const Fd file = memory_with("x\n");
  const std::string ascii_only = "250-DSN\r\n", all = "250-DSN\r\n250-SMTPUTF8\r\n";
  const std::string given = "utf-8;p\xc3\xa9+2B\\x{E4}\xf0\x9f\x98\x80@x.test";
  const std::string escaped = "utf-8;p\\x{E9}+2B\\x{E4}\\x{1F600}@x.test";
  std::string many;  // it fits as it is, but not escaped
  for (int i = 0; i < 200; ++i) many += "\xc3\xa9";
  struct Row {
    std::string ehlo;
    bool smtputf8;
    std::string orcpt, expected;
  };
  const std::vector<Row> rows = {
      {all, true, given, given},
      {all, false, given, escaped},
      {ascii_only, true, given, escaped},
      {ascii_only, true, "UTF-8;\xc3\xa9", "UTF-8;\\x{E9}"},
      {all, true, "utf-8;plain@x.test", "utf-8;plain@x.test"},
      // What cannot be said is left out, and nothing else said in its place.
      {all, true, "rfc822;p\xc3\xa9@x.test", ""},
      {all, true, "utf-8;\xff@x.test", ""},
      {all, true, "utf-8;\xc3\xa9 NOTIFY=NEVER", ""},
      {all, true, "utf-8;\xc3\xa9\r\nRSET", ""},
      {all, true, "utf-8;" + many, "utf-8;" + many},
      {ascii_only, true, "utf-8;" + many, ""},
      {all, true, "utf-8;" + std::string(493, 'x') + "\xc3\xa9", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.orcpt);
    OutgoingMessage message = message_with(file, "x\n");
    message.envelope.smtputf8 = row.smtputf8;
    message.envelope.recipients[0].notify = "FAILURE";
    message.envelope.recipients[0].orcpt = row.orcpt;
    const EnvelopeCommands made = make_commands(message, *session_with(row.ehlo));
    CHECK(made.recipients[0].text == "RCPT TO:<a@x.test> NOTIFY=FAILURE" +
                                         (row.expected.empty() ? "" : " ORCPT=" + row.expected) + "\r\n");
    CHECK((made.mail.find(" SMTPUTF8") != std::string::npos) == (row.smtputf8 && row.ehlo == all));
  }
}

TEST_CASE("what a server cannot take is another one's, and what cannot be said is nobody's") {
  struct Row {
    std::string ehlo, content, sender, recipient;
    bool smtputf8, refuse_8bit;
    std::string unfit, refused;  // statuses
  };
  const std::string utf8 = "\xc3\xa4@x.test";
  const std::vector<Row> rows = {
      {"250-SIZE 5\r\n", "123456", "s@y.test", "a@x.test", false, false, "5.3.4", ""},
      {"250-SIZE 7\r\n", "123456", "s@y.test", "a@x.test", false, false, "5.3.4", ""},
      {"250-SIZE 7\r\n", "1\n2\n\n", "s@y.test", "a@x.test", false, false, "5.3.4", ""},
      {"250-SIZE 8\r\n", "1\n2\n\n", "s@y.test", "a@x.test", false, false, "", ""},
      {"250-SIZE 8\r\n", "123456", "s@y.test", "a@x.test", false, false, "", ""},
      {"250-SIZE 0\r\n", "123456", "s@y.test", "a@x.test", false, false, "", ""},
      {"250-SIZE many\r\n", "123456", "s@y.test", "a@x.test", false, false, "", ""},
      {"", "a\n\n\xe4\n", "s@y.test", "a@x.test", false, false, "", ""},
      {"", "a\n\n\xe4\n", "s@y.test", "a@x.test", false, true, "5.6.3", ""},
      {"", "a\n\nb\n", "s@y.test", "a@x.test", false, true, "", ""},
      {kAll, "a\n\n\xe4\n", "s@y.test", "a@x.test", false, true, "", ""},
      {"", "a\n\n\xe4\n", "s@y.test", "a@x.test", true, false, "", ""},
      {"", "\xe4\n\nb\n", "s@y.test", "a@x.test", true, false, "5.6.9", ""},
      {"", "\xe4\n\nb\n", "s@y.test", "a@x.test", false, false, "", ""},
      {kAll, "\xe4\n\nb\n", "s@y.test", utf8, true, false, "", ""},
      {"", "a\n\nb\n", utf8, "a@x.test", true, false, "5.6.7", ""},
      {"", "a\n\nb\n", "s@y.test", utf8, true, false, "5.6.7", ""},
      {"", "a\n\nb\n", "s@y.test> X", "a@x.test", false, false, "", "5.1.7"},
      {"", "a\n\nb\n", "s\r\n@y.test", "a@x.test", false, false, "", "5.1.7"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.ehlo);
    CAPTURE(row.content);
    CAPTURE(row.sender);
    const Fd file = memory_with(row.content);
    OutgoingMessage message = message_with(file, row.content);
    message.envelope.sender = row.sender;
    message.envelope.recipients[0].address = row.recipient;
    message.envelope.smtputf8 = row.smtputf8;
    message.refuse_8bit = row.refuse_8bit;
    const EnvelopeCommands made = make_commands(message, *session_with(row.ehlo));
    CHECK((made.unfit ? made.unfit->status : "") == row.unfit);
    CHECK((made.refused ? made.refused->status : "") == row.refused);
    if (made.unfit) CHECK(made.unfit->permanent());
  }
}

TEST_CASE("a recipient that cannot be said here has its own failure beside others") {
  const Fd file = memory_with("x\n");
  OutgoingMessage message = message_with(file, "x\n");
  message.envelope.recipients = {
      {"a@x.test", "", ""}, {"\xc3\xa4@x.test", "", ""}, {"b\n@x.test", "", ""}, {"", "", ""}};
  const EnvelopeCommands made = make_commands(message, *session_with(""));
  CHECK_FALSE(made.unfit);
  CHECK_FALSE(made.recipients[0].failure);
  REQUIRE(made.recipients[1].failure);
  CHECK(made.recipients[1].failure->status == "4.6.7");
  CHECK_FALSE(made.recipients[1].failure->permanent());
  for (const size_t i : {size_t{2}, size_t{3}}) {
    REQUIRE(made.recipients[i].failure);
    CHECK(made.recipients[i].failure->status == "5.1.3");
    CHECK(made.recipients[i].text.empty());
  }
}

TEST_CASE("extensions of control/ehloignore are passed over, in any letter case") {
  RemoteSettings settings;
  settings.hello = "me.test";
  settings.ignored_extensions = {"dsn", "SIZE"};
  const Extensions found = session_with(kAll + "250-CHUNKING\r\n250-PIPELINING\r\n", settings)->extensions();
  CHECK_FALSE(found.dsn);
  CHECK_FALSE(found.size);
  CHECK(found.size_limit == 0);
  CHECK(found.eight_bit_mime);
  CHECK(found.smtputf8);
  CHECK(found.chunking);
  CHECK(found.pipelining);
}
