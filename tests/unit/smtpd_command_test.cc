#include "smtpd/command.h"

#include <doctest/doctest.h>

using namespace postern::smtpd;

TEST_CASE("a command line is a verb in any case and an argument") {
  struct Case {
    std::string line;
    Verb verb;
    const char* argument;
  };
  const Case cases[] = {
      {"EHLO a.example", Verb::ehlo, "a.example"},
      {"ehlo   a.example  ", Verb::ehlo, "a.example"},
      {"HELO", Verb::helo, ""},
      {"Mail FROM:<a@b>", Verb::mail, "FROM:<a@b>"},
      {"RCPT TO:<a@b>", Verb::rcpt, "TO:<a@b>"},
      {"DATA", Verb::data, ""},
      {"DATA ", Verb::data, ""},
      {"DATAX", Verb::unknown, ""},
      {"RSET", Verb::rset, ""},
      {"NOOP x y", Verb::noop, "x y"},
      {"QUIT", Verb::quit, ""},
      {"VRFY a", Verb::vrfy, "a"},
      {"HELP", Verb::help, ""},
      {"EXPN a", Verb::not_implemented, "a"},
      {"STARTTLS", Verb::not_implemented, ""},
      {"AUTH PLAIN x", Verb::not_implemented, "PLAIN x"},
      {"BDAT 10 LAST", Verb::not_implemented, "10 LAST"},
      {"GET / HTTP/1.1", Verb::not_smtp, "/ HTTP/1.1"},
      {"", Verb::unknown, ""},
      {" EHLO a", Verb::unknown, "EHLO a"},
      {"EHLO:a", Verb::unknown, ""},
      // Hostile ones.
      {std::string("EHLO a\0b", 8), Verb::forbidden_bytes, ""},
      {"EHLO a\rb", Verb::forbidden_bytes, ""},
      {"EHLO\ta", Verb::forbidden_bytes, ""},
      {"\x16\x03\x01", Verb::forbidden_bytes, ""},
      {"MAIL FROM:<\xc3\xa4@b>", Verb::forbidden_bytes, ""},
      {"DATA\x7f", Verb::forbidden_bytes, ""},
      {std::string(100000, 'A'), Verb::unknown, ""},
  };
  for (const Case& c : cases) {
    CAPTURE(c.line.substr(0, 60));
    const Command command = parse_command(c.line);
    CHECK(command.verb == c.verb);
    CHECK(command.argument == c.argument);
  }
}

TEST_CASE("a greeting name has no blanks and no header syntax in it") {
  for (const std::string name : {"a", "a.example", "[127.0.0.1]", "[IPv6:::1]", "some_host", "-", "it's"}) {
    CAPTURE(name);
    CHECK(is_greeting_name(name));
  }
  for (const std::string& name : {std::string(), std::string("a b"), std::string("a(b"), std::string("<a>"),
                                  std::string("a\"b"), std::string("a;b"), std::string("a\nb"),
                                  std::string("a\0b", 3), std::string("\xc3\xa4"), std::string(256, 'a')}) {
    CAPTURE(name);
    CHECK_FALSE(is_greeting_name(name));
  }
}

TEST_CASE("MAIL takes a path, SIZE and BODY") {
  struct Case {
    std::string argument;
    Reply reply;
    const char* sender;
    uint64_t size_bytes;
    const char* body;
  };
  const Case cases[] = {
      {"FROM:<>", Reply::sender_ok, "", 0, ""},
      {"from:<a@B.Example>", Reply::sender_ok, "a@b.example", 0, ""},
      {"FROM: <a@b>", Reply::sender_ok, "a@b", 0, ""},
      {"FROM:<a@b> SIZE=12", Reply::sender_ok, "a@b", 12, ""},
      {"FROM:<a@b> size=12 body=8bitmime", Reply::sender_ok, "a@b", 12, "8BITMIME"},
      {"FROM:<a@b>  BODY=7BIT   SIZE=0", Reply::sender_ok, "a@b", 0, "7BIT"},
      {"FROM:<a@b> SIZE=18446744073709551615", Reply::sender_ok, "a@b", UINT64_MAX, ""},
      {"FROM:<a@b> SIZE=99999999999999999999", Reply::sender_ok, "a@b", UINT64_MAX, ""},
      {"FROM:<a@b> SIZE=999999999999999999999", Reply::bad_parameter, "a@b", 0, ""},
      {"FROM:<a@b> SIZE=", Reply::bad_parameter, "a@b", 0, ""},
      {"FROM:<a@b> SIZE=+1", Reply::bad_parameter, "a@b", 0, ""},
      {"FROM:<a@b> SIZE=1 SIZE=1", Reply::bad_parameter, "a@b", 1, ""},
      {"FROM:<a@b> BODY=7BIT BODY=7BIT", Reply::bad_parameter, "a@b", 0, "7BIT"},
      {"FROM:<a@b> BODY=BINARYMIME", Reply::bad_parameter, "a@b", 0, ""},
      {"FROM:<a@b> BODY", Reply::bad_parameter, "a@b", 0, ""},
      {"FROM:<a@b> AUTH=<>", Reply::unknown_parameter, "a@b", 0, ""},
      {"FROM:<a@b> X", Reply::unknown_parameter, "a@b", 0, ""},
      {"FROM:<a@b> X=a=b", Reply::bad_parameter, "a@b", 0, ""},
      {"FROM:<a@b> <c@d>", Reply::bad_parameter, "a@b", 0, ""},
      {"FROM:<a@b>SIZE=1", Reply::bad_mail, "", 0, ""},
      {"FROM:<a@b>>", Reply::bad_mail, "", 0, ""},
      {"FROM:<a>", Reply::bad_sender, "a", 0, ""},
      {"FROM:<postmaster>", Reply::bad_sender, "postmaster", 0, ""},
      {"FROM:<a@b", Reply::bad_sender, "", 0, ""},
      {"FROM:a@b", Reply::bad_mail, "", 0, ""},
      {"FROM :<a@b>", Reply::bad_mail, "", 0, ""},
      {"TO:<a@b>", Reply::bad_mail, "", 0, ""},
      {"", Reply::bad_mail, "", 0, ""},
      {"FROM:", Reply::bad_mail, "", 0, ""},
      {"F", Reply::bad_mail, "", 0, ""},
      {"FROM:<" + std::string(100000, 'a'), Reply::bad_sender, "", 0, ""},
  };
  for (const Case& c : cases) {
    CAPTURE(c.argument.substr(0, 60));
    const MailArgument mail = parse_mail(c.argument);
    CHECK(mail.reply == c.reply);
    if (mail.reply != Reply::sender_ok) continue;
    CHECK(mail.sender == c.sender);
    CHECK(mail.size_bytes == c.size_bytes);
    CHECK(mail.body == c.body);
  }
}

TEST_CASE("RCPT takes a path that is not null, and no parameters") {
  struct Case {
    std::string argument;
    Reply reply;
    const char* recipient;
  };
  const Case cases[] = {
      {"TO:<a@B>", Reply::recipient_ok, "a@b"},
      {"to: <a@B> ", Reply::recipient_ok, "a@b"},
      {"TO:<Postmaster>", Reply::recipient_ok, "Postmaster"},
      {"TO:<@x,@y:a@B>", Reply::recipient_ok, "a@b"},
      {"TO:<>", Reply::bad_recipient, ""},
      {"TO:<a>", Reply::bad_recipient, ""},
      {"TO:<a@b> NOTIFY=NEVER", Reply::unknown_parameter, ""},
      {"TO:<a@b> =", Reply::bad_parameter, ""},
      {"TO:a@b", Reply::bad_rcpt, ""},
      {"FROM:<a@b>", Reply::bad_rcpt, ""},
      {"", Reply::bad_rcpt, ""},
      {std::string("TO:<a@b\0>", 9), Reply::bad_recipient, ""},
  };
  for (const Case& c : cases) {
    CAPTURE(c.argument);
    const RcptArgument rcpt = parse_rcpt(c.argument);
    CHECK(rcpt.reply == c.reply);
    if (rcpt.reply == Reply::recipient_ok) CHECK(rcpt.recipient == c.recipient);
  }
}

TEST_CASE("every reply has a code, and a status of the same class but for 354") {
  for (int i = 0; i <= static_cast<int>(Reply::not_configured); ++i) {
    CAPTURE(i);
    const postern::SmtpReply reply = smtp_reply(static_cast<Reply>(i));
    CHECK(reply.code.size() == 3);
    CHECK_FALSE(reply.text.empty());
    CHECK(reply_line(reply).ends_with("\r\n"));
    CHECK(reply_line(reply).size() <= 512);
    if (reply.code == "354") {
      CHECK(reply.status.empty());
    } else {
      CHECK(reply.status.substr(0, 2) == reply.code.substr(0, 1) + ".");
    }
  }
}
