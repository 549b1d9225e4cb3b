#include "inject/compose.h"

#include <doctest/doctest.h>

#include <string>

using namespace postern;
using namespace postern::inject;

namespace {

Setup some_setup() {
  Setup setup;
  setup.completion = {
      .default_host = "mx.example.org", .default_domain = "example.org", .plus_domain = "example.net"};
  setup.id_host = "id.example.org";
  setup.author_user = "carl";
  setup.sender_user = "carl";
  return setup;
}

Result<Composed> composed(const std::string& header, const Order& order = {},
                          const Setup& setup = some_setup()) {
  HeaderReader reader;
  REQUIRE(reader.take(header).ok());
  reader.finish();
  return compose(reader.fields(), order, setup, 1000000000, 4711);
}

std::string recipients_of(const std::string& header, const Order& order = {}) {
  Result<Composed> result = composed(header, order);
  if (!result) return result.failure().status;
  std::string all;
  for (const Recipient& recipient : result->envelope.recipients)
    all += (all.empty() ? "" : " ") + recipient.address;
  return all;
}

std::string sender_of(const std::string& header, const Order& order = {}, const Setup& setup = some_setup()) {
  Result<Composed> result = composed("To: a@b.c\n" + header, order, setup);
  return result ? result->envelope.sender : result.failure().status;
}

bool has_line(const Result<Composed>& result, const std::string& line) {
  return ("\n" + result->header).find("\n" + line + "\n") != std::string::npos;
}

constexpr const char* kComplete = "From: a@b.c\nDate: x\nMessage-ID: <x>\n";

}  // namespace

TEST_CASE("recipients come from the arguments, the header, or both, as was asked") {
  const std::string header =
      "To: a@x.y\nCc: b@x.y, a@x.y\nBcc: c@x.y\nApparently-To: d@x.y\nSubject: to e@x.y\n";
  Order order;
  CHECK(recipients_of(header, order) == "a@x.y b@x.y c@x.y d@x.y");
  order.arguments = {"e@x.y, F <f>", "a@X.y"};
  CHECK(recipients_of(header, order) == "e@x.y f@mx.example.org a@x.y");
  order.recipients_from = RecipientsFrom::header;
  CHECK(recipients_of(header, order) == "a@x.y b@x.y c@x.y d@x.y");
  order.recipients_from = RecipientsFrom::both;
  CHECK(recipients_of(header, order) == "e@x.y f@mx.example.org a@x.y b@x.y c@x.y d@x.y");
  order.recipients_from = RecipientsFrom::arguments;
  CHECK(recipients_of(header, order) == "e@x.y f@mx.example.org a@x.y");
}

TEST_CASE("a resent message goes to those whom the resent fields name") {
  CHECK(recipients_of("To: a@x.y\nResent-To: b@x.y\nResent-Cc: c@x.y\nResent-Bcc: d@x.y\n") ==
        "b@x.y c@x.y d@x.y");
  CHECK(recipients_of("To: a@x.y\nResent-From: b@x.y\n") == "5.5.4");
  Result<Composed> result = composed("To: a@x.y\nResent-To: b@x.y\n" + std::string(kComplete));
  REQUIRE(result.ok());
  CHECK(has_line(result, "Resent-From: carl@mx.example.org"));
  CHECK(has_line(result, "Resent-Date: Sun, 09 Sep 2001 01:46:40 +0000"));
  CHECK(has_line(result, "Resent-Message-ID: <4711.postern@id.example.org>"));
  CHECK(has_line(result, "From: a@b.c"));
  CHECK_FALSE(has_line(result, "From: carl@mx.example.org"));
}

TEST_CASE("nobody to send to, or a list that is none, is a permanent failure") {
  CHECK(recipients_of("Subject: x\n") == "5.5.4");
  CHECK(recipients_of("To: nobody:;\n") == "5.5.4");
  CHECK(recipients_of("To: <>\n") == "5.5.4");
  CHECK(recipients_of("To: a b\n") == "5.1.3");
  Order order;
  order.arguments = {"a@b.c", "<d"};
  CHECK(recipients_of("", order) == "5.1.3");
  order.arguments = {std::string(1100, 'a') + "@b.c"};
  CHECK(recipients_of("", order) == "5.1.3");
  // Only what recipients are taken from has to be one.
  order.arguments = {"a@b.c"};
  CHECK(recipients_of("To: a b\nFrom: <<\n", order) == "a@b.c");
  CHECK(has_line(composed("To: a b\n", order), "To: a b"));
  std::string many = "To: a@b.c";
  for (size_t i = 0; i < kRecipientLimit; ++i) many += ",\n a" + std::to_string(i) + "@b.c";
  CHECK(recipients_of(many + "\n") == "5.5.3");
}

TEST_CASE("fields that must not be sent are taken out, others stay to the byte") {
  Result<Composed> result = composed(
      "To: alice,\n  Bob <bob@h>\nX-Odd :  \xff\n folded\nBcc: c@x.y,\n d@x.y\nbcc: e@x.y\nReturn-Path: "
      "<r@x.y>\n"
      "Content-Length: 12\nResent: no\n" +
      std::string(kComplete));
  REQUIRE(result.ok());
  CHECK(result->header ==
        "To: alice@mx.example.org,\n  Bob <bob@h.example.org>\nX-Odd :  \xff\n folded\nResent: no\n" +
            std::string(kComplete) + "\n");
  CHECK(result->envelope.sender == "r@x.y");
}

TEST_CASE("what is missing is added, once") {
  Order order;
  order.arguments = {"a@b.c"};
  Result<Composed> result = composed("Subject: x\n", order);
  REQUIRE(result.ok());
  CHECK(result->header ==
        "Subject: x\nDate: Sun, 09 Sep 2001 01:46:40 +0000\nFrom: carl@mx.example.org\n"
        "Message-ID: <4711.postern@id.example.org>\nTo: undisclosed-recipients:;\n\n");
  CHECK(composed("cc: x\n" + std::string(kComplete), order)->header ==
        "cc: x@mx.example.org\n" + std::string(kComplete) + "\n");
  order.complete = false;
  CHECK(composed("To: alice\n", order)->header == "To: alice\n\n");
}

TEST_CASE("the sender is the one that was given, else Return-Path, else the user") {
  Order order;
  CHECK(sender_of("") == "carl@mx.example.org");
  CHECK(sender_of("Return-Path: <r@x.y>\n") == "r@x.y");
  CHECK(sender_of("Return-Path: <>\n").empty());
  CHECK(sender_of("Return-Path: <<\n") == "carl@mx.example.org");
  order.sender = "S <s@x.Y>";
  CHECK(sender_of("Return-Path: <r@x.y>\n", order) == "s@x.y");
  order.sender = "s";
  CHECK(sender_of("", order) == "s@mx.example.org");
  for (const char* null : {"", "<>"}) {
    order.sender = null;
    CHECK(sender_of("", order).empty());
  }
  for (const char* special : {"#@[]", "list-@x.y-@[]"}) {
    order.sender = special;
    CHECK(sender_of("", order) == special);
  }
  for (const char* bad : {"a b", "a@b,c@d", "a@b\x01.c"}) {
    order.sender = bad;
    CHECK(sender_of("", order) == "5.1.7");
  }
  order = {};
  order.ignore_return_path = true;
  CHECK(sender_of("Return-Path: <r@x.y>\n", order) == "carl@mx.example.org");
}

TEST_CASE("the letters of QMAILINJECT do what users of qmail expect") {
  Setup setup = some_setup();
  setup.author_name = "Carl (C)";
  setup.letters = "c";
  CHECK(has_line(composed("To: a@b.c\n", {}, setup), "From: carl@mx.example.org (Carl \\(C\\))"));
  setup.letters = "f";
  CHECK(
      has_line(composed("To: a@b.c\nFrom: x@y.z\n", {}, setup), "From: \"Carl (C)\" <carl@mx.example.org>"));
  setup.letters = "i";
  Result<Composed> result = composed("To: a@b.c\nMessage-ID: <old>\n", {}, setup);
  CHECK(has_line(result, "Message-ID: <4711.postern@id.example.org>"));
  CHECK_FALSE(has_line(result, "Message-ID: <old>"));
  setup.letters = "s";
  CHECK(sender_of("Return-Path: <r@x.y>\n", {}, setup) == "carl@mx.example.org");
  setup.letters = "r";
  CHECK(sender_of("", {}, setup) == "carl-@mx.example.org-@[]");
  setup.letters = "m";
  CHECK(sender_of("", {}, setup).starts_with("carl-"));
  CHECK(sender_of("", {}, setup).find('.') != std::string::npos);
}

TEST_CASE("a name becomes a phrase that nothing can break out of") {
  CHECK(phrase("Carl Doe") == "Carl Doe");
  CHECK(phrase("Carl \"C.\" Doe\\") == "\"Carl \\\"C.\\\" Doe\\\\\"");
  CHECK(phrase("x\r\nBcc: y") == "\"xBcc: y\"");
  CHECK(phrase("J\xc3\xb6rg M") == "=?UTF-8?Q?J=C3=B6rg_M?=");
  std::string long_name;
  for (int i = 0; i < 40; ++i) long_name += "\xc3\xb6";
  const std::string words = phrase(long_name);
  CHECK(words.find("=C3?=") == std::string::npos);
  for (size_t at = 0, end = 0; end != std::string::npos; at = end + 1) {
    end = words.find('\n', at);
    CHECK(words.substr(at, end - at).size() <= 76);
  }
}

TEST_CASE("the author of sendmail's -f and -F is who they name") {
  Order order;
  order.sender = "daemon@x.y";
  order.name = "Cron Daemon";
  order.sender_is_author = true;
  CHECK(has_line(composed("To: a@b.c\n", order), "From: Cron Daemon <daemon@x.y>"));
  order.sender = "";
  CHECK(has_line(composed("To: a@b.c\n", order), "From: Cron Daemon <carl@mx.example.org>"));
  Setup setup = some_setup();
  setup.account_name = "Carl Doe";
  order = {};
  order.sender_is_author = true;
  CHECK(has_line(composed("To: a@b.c\n", order, setup), "From: Carl Doe <carl@mx.example.org>"));
  order.sender = "x@y.z";
  CHECK(has_line(composed("To: a@b.c\n", order, setup), "From: x@y.z"));
  order = {};
  CHECK(has_line(composed("To: a@b.c\n", order, setup), "From: carl@mx.example.org"));
}

TEST_CASE("answers to mail for a list of QMAILMFTFILE go to the list") {
  Setup setup = some_setup();
  setup.list_addresses = "# mine\nLIST@x.y\n";
  CHECK(has_line(composed("To: a@b.c, list@x.y\nCc: d@e.f\n", {}, setup),
                 "Mail-Followup-To: a@b.c,\n  list@x.y,\n  d@e.f"));
  CHECK(composed("To: a@b.c\n", {}, setup)->header.find("Followup") == std::string::npos);
  CHECK_FALSE(
      has_line(composed("To: list@x.y\nMail-Followup-To: z@y.x\n", {}, setup), "Mail-Followup-To: list@x.y"));
}

TEST_CASE("an address that is not ASCII asks for SMTPUTF8, a header alone does not") {
  CHECK(composed("To: j\xc3\xb6rg@b.c\n")->envelope.smtputf8);
  CHECK_FALSE(composed("To: J\xc3\xb6rg <j@b.c>\n")->envelope.smtputf8);
  Order order;
  order.notify = "SUCCESS";
  order.ret = "HDRS";
  order.envid = "x";
  order.body = "8BITMIME";
  const Envelope envelope = composed("To: a@b.c, d@e.f\n", order)->envelope;
  CHECK(envelope.recipients.at(1).notify == "SUCCESS");
  CHECK(envelope.ret + envelope.envid + envelope.body == "HDRSx8BITMIME");
}
