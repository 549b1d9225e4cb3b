#include "queue/dsn.h"
#include "lib/utf8.h"

#include <doctest/doctest.h>

#include <string>

#include "lib/text.h"

using namespace postern;
using namespace std::string_literals;

namespace {

BounceRequest request_of(std::vector<ReportedRecipient> recipients) {
  return {.mid = 17,
          .sender = "a@example.org",
          .envid = "QQ+2B314",
          .arrival = 1136214245,
          .last_try = 1136473445,
          .recipients = std::move(recipients)};
}

std::string head_of(const BounceRequest& request, const Returned& returned = {}) {
  return make_dsn(request, returned, "mx.example.org", 99, 1136217845).head;
}

bool has_line(const std::string& text, std::string_view wanted) {
  for (const std::string_view line : split(text, '\n')) {
    if (line == wanted) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("a DSN is a multipart/report of the three parts of RFC 3464") {
  const BounceRequest request =
      request_of({{"b@example.net", "rfc822;b+2Bx@example.net", Action::failed,
                   "mx.example.net[192.0.2.1]:25 said: 550 5.1.1 no"},
                  {"c@example.net", "", Action::failed, "4.4.1 unable to connect"}});
  const DsnParts parts = make_dsn(request, {}, "mx.example.org", 99, 1136217845);
  CHECK(parts.head ==
        "Date: Mon, 02 Jan 2006 16:04:05 +0000\n"
        "From: Mail Delivery System <MAILER-DAEMON@mx.example.org>\n"
        "To: <a@example.org>\n"
        "Subject: Undelivered mail returned to sender\n"
        "Message-ID: <99@mx.example.org>\n"
        "Auto-Submitted: auto-replied\n"
        "MIME-Version: 1.0\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=\"postern.99\"\n"
        "\n"
        "--postern.99\n"
        "Content-Type: text/plain; charset=us-ascii\n"
        "\n"
        "This is the mail system at mx.example.org.\n"
        "\n"
        "Your message could not be delivered to the addresses below. This is a permanent failure:\n"
        "it will not be tried again.\n"
        "\n"
        "<b@example.net>:\n"
        "mx.example.net[192.0.2.1]:25 said: 550 5.1.1 no\n"
        "\n"
        "<c@example.net>:\n"
        "4.4.1 unable to connect\n"
        "\n"
        "--postern.99\n"
        "Content-Type: message/delivery-status\n"
        "\n"
        "Reporting-MTA: dns; mx.example.org\n"
        "Original-Envelope-Id: QQ+314\n"
        "Arrival-Date: Mon, 02 Jan 2006 15:04:05 +0000\n"
        "\n"
        "Original-Recipient: rfc822; b+x@example.net\n"
        "Final-Recipient: rfc822; b@example.net\n"
        "Action: failed\n"
        "Status: 5.1.1\n"
        "Remote-MTA: dns; mx.example.net\n"
        "Diagnostic-Code: smtp; 550 5.1.1 no\n"
        "\n"
        "Final-Recipient: rfc822; c@example.net\n"
        "Action: failed\n"
        "Status: 5.4.1\n"
        "\n"
        "--postern.99\n"
        "Content-Type: text/rfc822-headers\n"
        "\n");
  CHECK(parts.tail == "\n--postern.99--\n");
  CHECK_FALSE(parts.eight_bit);
  CHECK_FALSE(parts.smtputf8);
  CHECK(head_of(request, {.full = true}).ends_with("Content-Type: message/rfc822\n\n"));
}

TEST_CASE("each action has its words, its class of status, and what it promises") {
  struct Row {
    Action action;
    std::string why, subject, status;
  };
  const Row rows[] = {
      {Action::failed, "5.1.1 no", "Undelivered mail returned to sender", "5.1.1"},
      {Action::delayed, "h said: 451 4.7.1 later", "Mail delayed, still being tried", "4.7.1"},
      {Action::delivered, "2.1.5 in the mailbox", "Delivery of your mail", "2.1.5"},
      {Action::relayed, "h said: 250 ok", "Delivery of your mail", "2.0.0"},
      {Action::expanded, "", "Delivery of your mail", "2.0.0"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.subject);
    const std::string head = head_of(request_of({{"b@example.net", "", row.action, row.why}}));
    CHECK(has_line(head, "Subject: " + row.subject));
    CHECK(has_line(head, "Action: " + std::string(action_word(row.action))));
    CHECK(has_line(head, "Status: " + row.status));
    CHECK(has_line(head, "Will-Retry-Until: Thu, 05 Jan 2006 15:04:05 +0000") ==
          (row.action == Action::delayed));
  }
  const std::string mixed = head_of(request_of({{"b@example.net", "", Action::delivered, ""},
                                                {"c@example.net", "", Action::delayed, ""},
                                                {"d@example.net", "", Action::failed, ""}}));
  CHECK(has_line(mixed, "Subject: Undelivered mail returned to sender"));
  CHECK(mixed.find("<d@example.net>:") < mixed.find("<c@example.net>:"));
  CHECK(mixed.find("<c@example.net>:") < mixed.find("<b@example.net>:"));
}

TEST_CASE("a double bounce says so, to whom it goes") {
  BounceRequest request = request_of({{"b@example.net", "", Action::failed, "5.1.1 no"}});
  request.sender.clear();
  request.to = "postmaster@example.org";
  const std::string head = head_of(request, {.full = true});
  CHECK(has_line(head, "To: <postmaster@example.org>"));
  CHECK(has_line(head, "Subject: Undelivered notification"));
}

TEST_CASE("addresses outside ASCII are told in the alphabet of who is told") {
  const ReportedRecipient recipient{"p\xc3\xa9+x@ex\xc3\xa4mple.net", "utf-8;p\\x{E9}@x", Action::failed,
                                    "5.1.1 no"};
  BounceRequest request = request_of({recipient});
  request.smtputf8 = true;
  DsnParts parts = make_dsn(request, {.full = false, .eight_bit = true}, "mx", 99, 0);
  CHECK_FALSE(parts.smtputf8);
  CHECK_FALSE(parts.eight_bit);
  CHECK(parts.encodes);
  CHECK(!has_8bit_byte(parts.head));
  CHECK(has_line(parts.head, "Content-Type: message/delivery-status"));
  CHECK(has_line(parts.head,
                 "Content-Type: multipart/report; report-type=delivery-status; boundary=\"postern.99\""));
  CHECK(has_line(parts.head, "Final-Recipient: utf-8; p\\x{E9}\\x{2B}x@ex\\x{E4}mple.net"));
  CHECK(has_line(parts.head, "Original-Recipient: utf-8; p\\x{E9}@x"));
  CHECK(has_line(parts.head, "<p=C3=A9+x@ex=C3=A4mple.net>:"));
  CHECK(parts.head.ends_with(
      "Content-Type: message/global-headers\nContent-Transfer-Encoding: quoted-printable\n\n"));

  request.sender = "\xc3\xbc@example.org";
  parts = make_dsn(request, {.full = true, .eight_bit = true}, "mx", 99, 0);
  CHECK(has_line(
      parts.head,
      "Content-Type: multipart/report; report-type=global-delivery-status; boundary=\"postern.99\""));
  CHECK(parts.smtputf8);
  CHECK(parts.eight_bit);
  CHECK(has_line(parts.head, "To: <\xc3\xbc@example.org>"));
  CHECK(has_line(parts.head, "Content-Type: message/global-delivery-status"));
  CHECK(has_line(parts.head, "Final-Recipient: utf-8; p\xc3\xa9+x@ex\xc3\xa4mple.net"));
  CHECK(has_line(parts.head, "<p\xc3\xa9+x@ex\xc3\xa4mple.net>:"));
  CHECK(parts.head.ends_with("Content-Type: message/global\nContent-Transfer-Encoding: 8bit\n\n"));

  request.smtputf8 = false;
  request.sender = "a@example.org";
  parts = make_dsn(request, {.full = true, .eight_bit = true}, "mx", 99, 0);
  CHECK(parts.eight_bit);
  CHECK(parts.head.ends_with("Content-Type: message/rfc822\nContent-Transfer-Encoding: 8bit\n\n"));
}

TEST_CASE("nothing in a request makes a line of its own in the DSN") {
  for (const Action action : {Action::failed, Action::delayed, Action::expanded}) {
    const std::string evil = "x\r\nBcc: victim@example.net\n\n--postern.99--\n\0\xff\xc2\x85;+0A"s;
    BounceRequest request = request_of({{evil, evil, action, evil + " said: " + evil},
                                        {"\xc3\xa9\n\nBcc: x", "utf-8;\xc3\xa9\n\nBcc: x", action, ""}});
    request.sender = evil;
    request.envid = evil;
    for (const bool utf8_sender : {false, true}) {
      if (utf8_sender) request.sender = "\xc3\xa9\nBcc: x\n";
      const std::string head = make_dsn(request, {.full = true, .eight_bit = true}, evil, 99, 0).head;
      CHECK(head.find("\nBcc:") == std::string::npos);
      size_t boundaries = 0;
      for (const std::string_view line : split(head, '\n')) {
        if (!utf8_sender) {
          for (const char c : line) CHECK((c >= 0x20 && c <= 0x7e));
        }
        CHECK(line.find('\r') == std::string_view::npos);
        boundaries += line.starts_with("--") ? 1 : 0;
      }
      CHECK(boundaries == 3);
    }
  }
}

TEST_CASE("a template changes what people read, and nothing that programs read") {
  const BounceRequest request = request_of({{"b@example.net", "", Action::failed, "5.1.1 $Host no"},
                                            {"c@example.net", "", Action::delayed, "4.2.2 full"}});
  const Result<BounceTemplate> words = parse_bounce_template(
      "[failed]\nSubject: Zur\xc3\xbc"
      "ck\n\n$Host f\xc3\xbcr $Sender:\n\n$Recipients\n$$5\n",
      "f");
  REQUIRE(words.ok());
  const std::string own = make_dsn(request, {}, "mx.example.org", 99, 1136217845, *words).head;
  const std::string built_in = head_of(request);
  const auto status_of = [](const std::string& head) {
    return head.substr(head.find("message/delivery-status"));
  };
  CHECK(status_of(own) == status_of(built_in));
  CHECK(own.find("\nSubject: =?") != std::string::npos);
  CHECK(has_line(own, "Content-Type: text/plain; charset=utf-8"));
  CHECK(has_line(own, "mx.example.org f=C3=BCr a@example.org:"));
  CHECK(has_line(own, "<b@example.net>:"));
  CHECK(has_line(own, "5.1.1 $Host no"));
  CHECK(has_line(own, "$5"));
  // What the template does not have is built in.
  CHECK(own.find("could not be delivered yet") != std::string::npos);
  CHECK(own.find("This is the mail system") == std::string::npos);
  CHECK(!has_8bit_byte(own));
}

TEST_CASE("a plain notification is one text that ends with the header") {
  BounceRequest request = request_of({{"b@example.net", "", Action::failed, "5.1.1 no"}});
  request.plain = true;
  DsnParts parts = make_dsn(request, {}, "mx.example.org", 99, 1136217845);
  CHECK(has_line(parts.head, "Content-Type: text/plain; charset=us-ascii"));
  CHECK(parts.head.find("multipart") == std::string::npos);
  CHECK(parts.head.ends_with("--- The header of your message, which is returned:\n\n"));
  CHECK(parts.tail.empty());
  CHECK_FALSE(parts.encodes);
  CHECK_FALSE(parts.eight_bit);
  parts = make_dsn(request, {.full = false, .eight_bit = true}, "mx.example.org", 99, 1136217845);
  CHECK(parts.encodes);
  CHECK(has_line(parts.head, "Content-Transfer-Encoding: quoted-printable"));
}
