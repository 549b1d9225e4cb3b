#include "smtpd/envelope_command.h"

#include <doctest/doctest.h>

using namespace postern::smtpd;

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
      {"FROM:<a@b> SIZE=1 SIZE=1", Reply::repeated_parameter, "a@b", 1, ""},
      {"FROM:<a@b> BODY=7BIT body=8bitmime", Reply::repeated_parameter, "a@b", 0, "7BIT"},
      {"FROM:<a@b> BODY=BINARYMIME", Reply::bad_parameter, "a@b", 0, ""},
      {"FROM:<a@b> BODY", Reply::bad_parameter, "a@b", 0, ""},
      {"FROM:<a@b> AUTH=<>", Reply::sender_ok, "a@b", 0, ""},
      {"FROM:<a@b> AUTH=<a@b>", Reply::bad_parameter, "a@b", 0, ""},
      {"FROM:<a@b> X", Reply::unknown_parameter, "a@b", 0, ""},
      {"FROM:<\xc3\xa4@b>", Reply::needs_smtputf8, "", 0, ""},
      {"FROM:<a@\xc3\xa4>", Reply::needs_smtputf8, "", 0, ""},
      {"FROM:<\xc3\xa4@b> SMTPUTF8", Reply::sender_ok, "\xc3\xa4@b", 0, ""},
      {"FROM:<\xc3@b> SMTPUTF8", Reply::bad_sender, "", 0, ""},
      {"FROM:<a@b> SMTPUTF8=1", Reply::bad_parameter, "", 0, ""},
      {"FROM:<a@b> SMTPUTF8 smtputf8", Reply::repeated_parameter, "", 0, ""},
      {"FROM:<a@b> \xc3\xa4=1", Reply::bad_parameter, "", 0, ""},
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

TEST_CASE("RCPT takes a path that is not null") {
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
      {"TO:<a@b> BY=1", Reply::unknown_parameter, ""},
      {"TO:<\xc3\xa4@b>", Reply::needs_smtputf8, ""},
      {"TO:<\xff@b>", Reply::bad_recipient, ""},
      {"TO:<a@b> =", Reply::bad_parameter, ""},
      {"TO:a@b", Reply::bad_rcpt, ""},
      {"FROM:<a@b>", Reply::bad_rcpt, ""},
      {"", Reply::bad_rcpt, ""},
      {std::string("TO:<a@b\0>", 9), Reply::bad_recipient, ""},
  };
  for (const Case& c : cases) {
    CAPTURE(c.argument);
    const RcptArgument rcpt = parse_rcpt(c.argument, false);
    CHECK(rcpt.reply == c.reply);
    if (rcpt.reply == Reply::recipient_ok) CHECK(rcpt.recipient == c.recipient);
  }
}

TEST_CASE("RET and ENVID of RFC 3461") {
  struct Case {
    std::string parameters;
    Reply reply;
    const char* ret;
    std::string envid;
  };
  const Case cases[] = {
      {"RET=FULL", Reply::sender_ok, "FULL", ""},
      {"ret=hdrs", Reply::sender_ok, "HDRS", ""},
      {"ENVID=QQ314159 RET=HDRS", Reply::sender_ok, "HDRS", "QQ314159"},
      {"ENVID=a+2Bb+3Dc+20", Reply::sender_ok, "", "a+2Bb+3Dc+20"},
      {"ENVID=" + std::string(100, 'x'), Reply::sender_ok, "", std::string(100, 'x')},
      {"ENVID=" + std::string(101, 'x'), Reply::bad_parameter, "", ""},
      {"RET=", Reply::bad_parameter, "", ""},
      {"RET", Reply::bad_parameter, "", ""},
      {"RET=BODY", Reply::bad_parameter, "", ""},
      {"RET=FULL RET=FULL", Reply::repeated_parameter, "", ""},
      {"ENVID", Reply::bad_parameter, "", ""},
      {"ENVID=a ENVID=a", Reply::repeated_parameter, "", ""},
      {"ENVID=a+b", Reply::bad_parameter, "", ""},
      {"ENVID=a+2", Reply::bad_parameter, "", ""},
      {"ENVID=+2b", Reply::bad_parameter, "", ""},
      {"ENVID=+0A", Reply::bad_parameter, "", ""},
      {"ENVID=+00", Reply::bad_parameter, "", ""},
      {"ENVID=+7F", Reply::bad_parameter, "", ""},
      {"ENVID=+FF", Reply::bad_parameter, "", ""},
      {"ENVID=a=b", Reply::bad_parameter, "", ""},
      {"ENVID=\xc3\xa4 SMTPUTF8", Reply::bad_parameter, "", ""},
      {"NOTIFY=NEVER", Reply::unknown_parameter, "", ""},
  };
  for (const Case& c : cases) {
    CAPTURE(c.parameters);
    const MailArgument mail = parse_mail("FROM:<> " + c.parameters);
    CHECK(mail.reply == c.reply);
    if (mail.reply != Reply::sender_ok) continue;
    CHECK(mail.ret == c.ret);
    CHECK(mail.envid == c.envid);
  }
}

TEST_CASE("NOTIFY and ORCPT of RFC 3461, and ORCPT's type utf-8 of RFC 6533") {
  struct Case {
    std::string parameters;
    bool smtputf8;
    Reply reply;
    const char* notify;
    std::string orcpt;
  };
  const Case cases[] = {
      {"NOTIFY=NEVER", false, Reply::recipient_ok, "NEVER", ""},
      {"notify=never", false, Reply::recipient_ok, "NEVER", ""},
      {"NOTIFY=DELAY,success", false, Reply::recipient_ok, "SUCCESS,DELAY", ""},
      {"NOTIFY=SUCCESS,FAILURE,DELAY", false, Reply::recipient_ok, "SUCCESS,FAILURE,DELAY", ""},
      {"ORCPT=rfc822;Bob@Example.org", false, Reply::recipient_ok, "", "rfc822;Bob@Example.org"},
      {"ORCPT=x400;+20a+2Bb", false, Reply::recipient_ok, "", "x400;+20a+2Bb"},
      {"ORCPT=utf-8;\\x{E4}@c", false, Reply::recipient_ok, "", "utf-8;\\x{E4}@c"},
      {"ORCPT=utf-8;\xc3\xa4@c", true, Reply::recipient_ok, "", "utf-8;\xc3\xa4@c"},
      {"ORCPT=a;" + std::string(498, 'x'), false, Reply::recipient_ok, "", "a;" + std::string(498, 'x')},
      {"ORCPT=a;" + std::string(499, 'x'), false, Reply::bad_parameter, "", ""},
      {"ORCPT=utf-8;\xc3\xa4@c", false, Reply::bad_parameter, "", ""},
      {"ORCPT=utf-8;\xc3@c", true, Reply::bad_parameter, "", ""},
      {"ORCPT=rfc822;\xc3\xa4@c", true, Reply::bad_parameter, "", ""},
      {"NOTIFY", false, Reply::bad_parameter, "", ""},
      {"NOTIFY=", false, Reply::bad_parameter, "", ""},
      {"NOTIFY=NEVER,SUCCESS", false, Reply::bad_parameter, "", ""},
      {"NOTIFY=SUCCESS,NEVER", false, Reply::bad_parameter, "", ""},
      {"NOTIFY=SUCCESS,SUCCESS", false, Reply::bad_parameter, "", ""},
      {"NOTIFY=SUCCESS,", false, Reply::bad_parameter, "", ""},
      {"NOTIFY=ALWAYS", false, Reply::bad_parameter, "", ""},
      {"NOTIFY=NEVER NOTIFY=NEVER", false, Reply::repeated_parameter, "", ""},
      {"ORCPT=rfc822", false, Reply::bad_parameter, "", ""},
      {"ORCPT=;a", false, Reply::bad_parameter, "", ""},
      {"ORCPT=rfc822;", false, Reply::bad_parameter, "", ""},
      {"ORCPT=rf(c;a", false, Reply::bad_parameter, "", ""},
      {"ORCPT=rfc822;a+b", false, Reply::bad_parameter, "", ""},
      {"ORCPT=rfc822;a=b", false, Reply::bad_parameter, "", ""},
      {"ORCPT=rfc822;+0D+0ARCPT", false, Reply::bad_parameter, "", ""},
      {"ORCPT=rfc822;a orcpt=rfc822;a", false, Reply::repeated_parameter, "", ""},
      {"RET=FULL", false, Reply::unknown_parameter, "", ""},
      {"SMTPUTF8", false, Reply::unknown_parameter, "", ""},
  };
  for (const Case& c : cases) {
    CAPTURE(c.parameters);
    const RcptArgument rcpt = parse_rcpt("TO:<a@b> " + c.parameters, c.smtputf8);
    CHECK(rcpt.reply == c.reply);
    if (rcpt.reply != Reply::recipient_ok) continue;
    CHECK(rcpt.notify == c.notify);
    CHECK(rcpt.orcpt == c.orcpt);
  }
}
