#include "queue/dsn.h"

#include <doctest/doctest.h>

#include <string>

#include "lib/text.h"

using namespace postern;
using namespace std::string_literals;

TEST_CASE("a report is taken apart into status, host and reply") {
  struct Row {
    std::string report, status, mta, reply;
  };
  const Row rows[] = {
      {"mx.example.net[192.0.2.1]:25 said: 550 5.1.1 no such user", "5.1.1", "mx.example.net",
       "550 5.1.1 no such user"},
      {"mx.example.net[2001:db8::1]:25 said: 452 4.2.2 full", "5.2.2", "mx.example.net", "452 4.2.2 full"},
      {"mx.example.net said: 550 no status", "5.0.0", "mx.example.net", "550 no status"},
      {"5.1.2 no such domain", "5.1.2", "", ""},
      {"4.4.1 unable to connect", "5.4.1", "", ""},
      {"550 5.7.1 ours", "5.7.1", "", ""},
      {"2.0.0 odd", "5.0.0", "", ""},
      {"a text that has 5.1.1 too late", "5.0.0", "", ""},
      {"5.1 x", "5.0.0", "", ""},
      {"5.1.1.1 x", "5.0.0", "", ""},
      {"5.1234.1 x", "5.0.0", "", ""},
      {"55.1.1 x", "5.0.0", "", ""},
      {"3.1.1 x", "5.0.0", "", ""},
      {"5..1 x", "5.0.0", "", ""},
      {"5.1.x y", "5.0.0", "", ""},
      {"", "5.0.0", "", ""},
      {" said: ", "5.0.0", "", ""},
      {" said: 550 5.1.1 x", "5.1.1", "", "550 5.1.1 x"},
      {"a said: b said: 5.1.1", "5.0.0", "a", "b said: 5.1.1"},
      {"5.1.1\0x"s, "5.0.0", "", ""},
      {std::string(100000, '5'), "5.0.0", "", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.report.substr(0, 80));
    const Diagnosis diagnosis = diagnose(row.report);
    CHECK(diagnosis.status == row.status);
    CHECK(diagnosis.remote_mta == row.mta);
    CHECK(diagnosis.smtp_reply == row.reply);
  }
}

TEST_CASE("a DSN is a multipart/report of the three parts of RFC 3464") {
  const BounceRequest request{.mid = 17,
                              .sender = "a@example.org",
                              .envid = "QQ314",
                              .arrival = 1136214245,
                              .full = false,
                              .recipients = {{"b@example.net", "rfc822;b+40example.net",
                                              "mx.example.net[192.0.2.1]:25 said: 550 5.1.1 no"},
                                             {"c@example.net", "", "4.4.1 unable to connect"}}};
  const DsnParts parts = make_dsn(request, "mx.example.org", 99, 1136217845);
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
        "Original-Envelope-Id: QQ314\n"
        "Arrival-Date: Mon, 02 Jan 2006 15:04:05 +0000\n"
        "\n"
        "Original-Recipient: rfc822;b+40example.net\n"
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
  BounceRequest full = request;
  full.full = true;
  CHECK(make_dsn(full, "x", 1, 2).head.ends_with("Content-Type: message/rfc822\n\n"));
}

TEST_CASE("nothing in a request makes a line of its own in the DSN") {
  const std::string evil = "x\r\nBcc: victim@example.net\n\n--postern.99--\n\0\xff"s;
  const BounceRequest request{.mid = 17,
                              .sender = evil,
                              .envid = evil,
                              .arrival = 0,
                              .full = false,
                              .recipients = {{evil, evil, evil + " said: " + evil}}};
  const std::string head = make_dsn(request, evil, 99, 0).head;
  CHECK(head.find("\nBcc:") == std::string::npos);
  size_t boundaries = 0;
  for (const std::string_view line : split(head, '\n')) {
    for (const char c : line) CHECK((c >= 0x20 && c <= 0x7e));
    boundaries += line.starts_with("--") ? 1 : 0;
  }
  CHECK(boundaries == 3);
}
