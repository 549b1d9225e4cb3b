#include "receipt/spoof.h"

#include <doctest/doctest.h>

#include "receipt/encoded_words.h"
#include "receipt/from_field.h"
#include "smtpd/header_scan.h"

using namespace postern;

namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text.append(text.empty() ? "" : " ").append(word);
  return text;
}

SendAs table() {
  Result<SendAs> parsed = SendAs::parse(
      "# who may\nalice: sales@example.org, @shop.example,\n  help@example.org\n\nrobot: *\n"
      "bob@example.org: bob@other.example\nALICE: info@b\xc3\xbc"
      "cher.example\n",
      "control/sendas", {"example.org", "example.net"});
  REQUIRE(parsed.ok());
  return std::move(*parsed);
}

Authors authors_of(std::string_view header) {
  smtpd::HeaderScan scan;
  scan.keep_authors();
  for (const char c : header) scan.take(std::string_view(&c, 1));
  scan.finish();
  return scan.authors();
}

}  // namespace

TEST_CASE("who may send as whom") {
  const SendAs may = table();
  struct Row {
    const char* user;
    const char* address;
    bool allowed;
  };
  for (const Row& row :
       {Row{"alice", "alice@example.org", true}, Row{"alice", "Alice@EXAMPLE.net", true},
        Row{"alice", "alice@other.example", false}, Row{"alice", "sales@example.org", true},
        Row{"alice", "anybody@shop.example", true}, Row{"alice", "anybody@sub.shop.example", false},
        Row{"alice", "help@example.org", true}, Row{"alice", "info@xn--bcher-kva.example", true},
        Row{"alice", "bob@example.org", false}, Row{"alice", "alice@example.org@other.example", false},
        Row{"bob@example.org", "bob@example.org", true}, Row{"bob@example.org", "bob@other.example", true},
        Row{"bob@example.org", "bob@example.net", false}, Row{"robot", "anybody@anywhere.example", true},
        Row{"carol", "sales@example.org", false}, Row{"", "alice@example.org", false},
        Row{"alice", "", false}, Row{"alice", "alice", false}, Row{"alice", "@shop.example", true}}) {
    CAPTURE(row.user);
    CAPTURE(row.address);
    CHECK(may.may(row.user, row.address) == row.allowed);
  }
  CHECK(may.lines_of("alice") == "control/sendas:2,7");
  for (const char* broken :
       {"alice sales@example.org", " x@example.org", "alice: sales", ": a@b", "alice: a@b c@d"}) {
    CAPTURE(broken);
    const Result<SendAs> bad = SendAs::parse(std::string("# x\n") + broken, "control/sendas", {});
    REQUIRE(!bad.ok());
    CHECK(bad.failure().text.starts_with("control/sendas:2: "));
  }
}

TEST_CASE("a From: field is read whole, or not at all") {
  struct Row {
    const char* value;
    const char* addresses;  // null: it is not understood
    const char* shown = "";
  };
  for (const Row& row : {
           Row{"alice@example.org", "alice@example.org"},
           Row{"Alice <alice@example.org>", "alice@example.org"},
           Row{"\"A, B\" <Alice@Example.ORG>", "alice@example.org"},
           Row{"Dr. A. B. <alice@example.org>", "alice@example.org"},
           Row{"(note) alice@example.org (Alice (the one))", "alice@example.org"},
           Row{"< alice@example.org >", "alice@example.org"},
           Row{"a@b.example, C <c@d.example>,e@f.example", "a@b.example c@d.example e@f.example"},
           Row{"us: a@b.example, c@d.example;", "a@b.example c@d.example"},
           Row{"us: a@b.example;, x@y.example", "a@b.example x@y.example"},
           Row{"undisclosed:;", ""},
           Row{"", ""},
           Row{",,a@b.example,", "a@b.example"},
           Row{"\"a b\"@c.example", "\"a b\"@c.example"},
           Row{"\"alice\"@example.org", "alice@example.org"},
           Row{"\"boss@example.org\"@far.example", "\"boss@example.org\"@far.example"},
           Row{"<a@[192.0.2.1]>", "a@[192.0.2.1]"},
           Row{"a@b\xc3\xbc"
               "cher.example",
               "a@xn--bcher-kva.example"},
           // What names show
           Row{"\"boss@example.org\" <a@b.example>", "a@b.example", "boss@example.org"},
           Row{"\"boss@example.org via x\" <a@b.example>", "a@b.example", "boss@example.org"},
           Row{"=?utf-8?q?boss=40example.org?= <a@b.example>", "a@b.example", "boss@example.org"},
           Row{"=?utf-8?B?Ym9zc0BleGFtcGxlLm9yZw==?= <a@b.example>", "a@b.example", "boss@example.org"},
           Row{"=?utf-8?q?boss?= =?utf-8?q?=40example.org?= <a@b.example>", "a@b.example",
               "boss@example.org"},
           Row{"\"=?utf-8?q?=3Cboss=40example.org=3E?=\" <a@b.example>", "a@b.example", "boss@example.org"},
           Row{"=?utf-8?q?boss=EF=BC=A0example.org?= <a@b.example>", "a@b.example", "boss@example.org"},
           Row{"a@b.example (boss@example.org)", "a@b.example", "boss@example.org"},
           Row{"boss.example.org <a@b.example>", "a@b.example"},
           Row{"\"Bob @ Work\" <a@b.example>", "a@b.example"},
           Row{"\"a@b.example.\" <a@b.example>", "a@b.example", "a@b.example"},
           // Signs that stand in front or twice, and a dot that is none of a domain
           Row{"\"@boss@example.org\" <a@b.example>", "a@b.example", "boss@example.org"},
           Row{"=?utf-8?q?=EF=BC=A0boss=40example.org?= <a@b.example>", "a@b.example", "boss@example.org"},
           Row{"\"boss@@example.org\" <a@b.example>", "a@b.example", "boss@example.org"},
           Row{"\"boss@x@example.org\" <a@b.example>", "a@b.example", "x@example.org"},
           Row{"\"@alice.b, x@y @.z\" <a@b.example>", "a@b.example"},
           // The sets of East Asia
           Row{"=?gb2312?B?Ym9zc6PAZXhhbXBsZS5vcmc=?= <a@b.example>", "a@b.example", "boss@example.org"},
           Row{"=?GBK?q?boss=A9=88example=A9qorg?= <a@b.example>", "a@b.example", "boss@example.org"},
           Row{"=?ks_c_5601-1987?q?boss=A3=C0example=A3=AEorg?= <a@b.example>", "a@b.example",
               "boss@example.org"},
           Row{"=?euc-jp?q?boss=A1=F7example=A1=A5org?= <a@b.example>", "a@b.example", "boss@example.org"},
           Row{"=?euc-jp?q?b=B0=A1=A1=F7example=8E=A1org?= <a@b.example>", "a@b.example",
               "b\xb0.@example.org"},
           Row{"=?Shift_JIS?q?boss=81=97example=81Dorg?= <a@b.example>", "a@b.example", "boss@example.org"},
           Row{"=?windows-31j?q?boss=81=97example=A1org?= <a@b.example>", "a@b.example", "boss@example.org"},
           Row{"=?shift_jis?q?b=83=5C=40example.org?= <a@b.example>", "a@b.example", "b\x83\xff@example.org"},
           Row{"=?big5?q?boss=A2Iexample=A1Dorg?= <a@b.example>", "a@b.example", "boss@example.org"},
           Row{"\"boss\xa3\xc0"
               "example.org\" <a@b.example>",
               "a@b.example", "boss@example.org"},
           Row{"=?gb18030?q?boss=40x=841=957?= <a@b.example>", nullptr},
           Row{"=?gb2312?B?zfXQocP3?= <a@b.example>", "a@b.example"},
           Row{"=?iso-8859-1?q?Jos=E9_=A3=C0.?= <a@b.example>", "a@b.example"},
           // What readers read differently
           Row{"boss@example.org <a@b.example>", nullptr},
           Row{"<boss@example.org> <a@b.example>", nullptr},
           Row{"<boss@example.org>, <a@b.example", nullptr},
           Row{"a@b.example>", nullptr},
           Row{"Alice", nullptr},
           Row{"<>", nullptr},
           Row{"a@", nullptr},
           Row{"@b.example", nullptr},
           Row{"a@b@c.example", nullptr},
           Row{"a b@c.example", nullptr},
           Row{"a @b.example", nullptr},
           Row{"a@ b.example", nullptr},
           Row{"a(boss@example.org)@b.example", nullptr},
           Row{"<(x)a@b.example>", nullptr},
           Row{"<a@b.example(x)>", nullptr},
           Row{"<@relay.example:a@b.example>", nullptr},
           Row{"a..b@c.example", nullptr},
           Row{"a@b.example\xe2\x80\xaf", nullptr},
           Row{"\"a\tb\"@c.example", nullptr},
           Row{"a@[x;boss@example.org]", nullptr},
           Row{"=?ISO-2022-JP?B?GyRCOzNFRBsoQg==?= <user@own.example>", "user@own.example"},
           Row{"=?iso-2022-jp?q?boss=1B$B!w=1B=28Bcorp.example?= <a@b.example>", "a@b.example",
               "boss@corp.example"},
           Row{"=?utf-8?q?=1B$B;3=1B=28B?= <a@b.example>", nullptr},
           Row{"\"boss@corp.example/x@own.example\" <u@own.example>", "u@own.example",
               "boss@corp.example/x corp.example/x@own.example"},
           Row{"\"boss@corp.example\xc2\xa0x\xe2\x80\x80u@own.example\" <u@own.example>", "u@own.example",
               "boss@corp.example u@own.example"},
           Row{"\"boss@corp\xef\xbc\x8e"
               "example\" <u@own.example>",
               "u@own.example", "boss@corp.example"},
           Row{"\"boss@corp\xe3\x80\x82"
               "example\" <u@own.example>",
               "u@own.example", "boss@corp.example"},
           Row{"\"boss\xef\xbc\xa0"
               "corp\xef\xbd\xa1"
               "example\" <u@own.example>",
               "u@own.example", "boss@corp.example"},
           Row{"\"\xe2\x81\xa6gro\xe2\x81\xa9\" <a@b.example>", nullptr},
           Row{"\"\xe2\x80\xaagro\" <a@b.example>", nullptr},
           Row{"\"\xe2\x80\xabgro\" <a@b.example>", nullptr},
           Row{"\"boss@example.org", nullptr},
           Row{"(boss@example.org", nullptr},
           Row{"a@b.example)", nullptr},
           Row{"us: a@b.example", nullptr},
           Row{"us: them: a@b.example;;", nullptr},
           Row{":a@b.example;", nullptr},
           Row{"a@b.example; boss@example.org", nullptr},
           Row{"=?utf-8?q?boss=40example.org=00?= <a@b.example>", nullptr},
           Row{"=?utf-8?q?x=0Aboss?= <a@b.example>", nullptr},
           Row{"=?utf-8?q?a?=@b.example", nullptr},
           Row{"=?utf-7?q?boss+AEA-example.org?= <a@b.example>", nullptr},
           Row{"=?utf-16?b?AGIAQA==?= <a@b.example>", nullptr},
           Row{"\"\xe2\x80\xaegro.elpmaxe\" <a@b.example>", nullptr},
           Row{"a\x01@b.example", nullptr},
           Row{"a\xff@b.example", nullptr},
           Row{"\"x\ry\" <a@b.example>", nullptr},
       }) {
    CAPTURE(row.value);
    const FromField field = parse_from(row.value);
    CAPTURE(field.problem);
    CHECK(field.understood() == (row.addresses != nullptr));
    if (!field.understood() || row.addresses == nullptr) continue;
    CHECK(joined(field.addresses) == row.addresses);
    CHECK(joined(field.shown) == row.shown);
  }
}

TEST_CASE("deep comments and long lists end") {
  CHECK_FALSE(parse_from(std::string(100000, '(')).understood());
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "a@b.example,";
  CHECK_FALSE(parse_from(many).understood());
  std::string shown = "\"";
  for (int i = 0; i < 100; ++i) shown += "a@b.example ";
  CHECK(parse_from(shown + "\" <a@b.example>").understood());
  CHECK_FALSE(parse_from(shown + "boss@example.org\" <a@b.example>").understood());
}

TEST_CASE("the author has to be the user") {
  const SendAs may = table();
  struct Row {
    const char* header;
    bool passes;
  };
  for (const Row& row : {
           Row{"From: Alice <alice@example.org>\nSubject: x\n\n", true},
           Row{"from : alice@example.org\n\n", true},
           Row{"From: Alice\n <alice@example.org>\n\n", true},
           Row{"From: alice@example.org, sales@example.org\nSender: alice@example.org\n\n", true},
           Row{"From: alice@example.org", true},
           Row{"Subject: x\n\nFrom: alice@example.org\n", false},
           Row{"From: boss@example.org\n\n", false},
           Row{"From: alice@example.org, boss@example.org\n\n", false},
           Row{"From: us: alice@example.org, boss@example.org;\n\n", false},
           Row{"From: \"boss@example.org\" <alice@example.org>\n\n", false},
           Row{"From: \"sales@example.org\" <alice@example.org>\n\n", true},
           Row{"From: \"boss@corp.example/alice@example.org\" <alice@example.org>\n\n", false},
           Row{"From: alice@example.org\nFrom: boss@example.org\n\n", false},
           Row{"From: alice@example.org\nFROM : boss@example.org\n\n", false},
           Row{"From: alice@example.org\nFrom: alice@example.org\n\n", false},
           Row{"From: alice@example.org\nno field\nFrom: boss@example.org\n\n", false},
           Row{"From: alice@example.org\nSender: boss@example.org\n\n", false},
           Row{"From:\n\n", false},
           Row{" From: alice@example.org\n\n", false},
           Row{"\tFrom: boss@example.org\nFrom: alice@example.org\n\n", false},
           Row{" \nFrom: alice@example.org\n\n", false},
           Row{"From: undisclosed:;\n\n", false},
           Row{"From: alice@example.org\nSubject: x\rFrom: boss@example.org\n\n", false},
       }) {
    CAPTURE(row.header);
    const Decision decision = check_authors(may, "alice", authors_of(row.header));
    CHECK(decision.passes() == row.passes);
    if (!decision.passes()) CHECK(decision.reply.line().starts_with("550 5.7.1 "));
  }
  // What may be a From: to others.
  const std::string own = "From: alice@example.org\n\n";
  const std::string blanks(33000, ' ');
  CHECK(check_authors(may, "alice", authors_of("X: " + blanks + "\nY:\tz\n" + own)).passes());
  for (const std::string& first :
       {"From" + blanks + ": boss@corp.example\n", "From\n" + blanks + ": boss@corp.example\n",
        "From\n " + blanks.substr(0, 20000) + "\n" + blanks.substr(0, 20000) + ": boss@corp.example\n",
        std::string("F\0rom: boss@corp.example\n", 25), std::string("From\0: boss@corp.example\n", 25),
        std::string("\vFrom: boss@corp.example\n"), std::string("From\v: boss@corp.example\n"),
        std::string("From\x7f: boss@corp.example\n"), std::string("From\xc2\xa0: boss@corp.example\n"),
        std::string("\xef\xbb\xbf"
                    "From: boss@corp.example\n"),
        std::string("From x: boss@corp.example\n"), "X: " + blanks + "\rFrom: boss@corp.example\n",
        std::string("X: y\rFrom: boss@corp.example\n")}) {
    CAPTURE(first.substr(0, 40));
    CHECK_FALSE(check_authors(may, "alice", authors_of(first + own)).passes());
  }
  CHECK(check_authors(may, "alice", authors_of(own + "x\vy\r\n")).passes());  // of the body
  const std::string padding(smtpd::HeaderScan::kAuthorLimitBytes, 'x');
  CHECK_FALSE(
      check_authors(may, "alice", authors_of("From: (" + padding + ")\n boss@example.org\n\n")).passes());
  CHECK_FALSE(
      check_authors(may, "alice", authors_of("From: alice@example.org\n (" + padding + ")\n\n")).passes());
  CHECK(check_sender(may, "alice", "").passes());
  CHECK(check_sender(may, "alice", "alice@example.org").passes());
  const Decision refused = check_sender(may, "alice", "boss@example.org");
  CHECK(refused.reply.line() == "553 5.7.1 user alice may not send as boss@example.org (MAIL FROM)");
  CHECK(refused.why == "control/sendas:2,7");
}

TEST_CASE("encoded words are decoded as readers do") {
  CHECK(decode_encoded_words("a =?utf-8?q?b_c=2c?= d") == "a b c, d");
  CHECK(decode_encoded_words("=?utf-8?q?a?= \t =?iso-8859-1*en?b?Yg?=") == "ab");
  CHECK(decode_encoded_words("=?utf-8?x?a?= =? =?q? =?utf-8?q?a") == "=?utf-8?x?a?= =? =?q? =?utf-8?q?a");
  CHECK(decode_encoded_words("=?utf-8?b?Y\tQ==?=x") == "ax");
  CHECK(decode_encoded_words("=?utf-8?q?=4?=") == "=4");
  CHECK_FALSE(decode_encoded_words("=?UTF-7?q?a?=").has_value());
  const std::string other = "\xef\xbf\xbd";
  CHECK(decode_encoded_words("=?ISO-2022-JP?B?GyRCOzNFRBsoQg==?= x") == other + other + " x");
  CHECK(decode_encoded_words("=?iso-2022-jp-1?q?a=1B$@;3=1B$(D;3=1B(I1=1B(Jb@c?=") ==
        "a" + other + other + other + "b@c");
  // The wide forms of b@c.d, and an ideographic full stop
  CHECK(decode_encoded_words("=?iso-2022-jp?q?=1B$B#b!w#c!%#d!#!!=1B(B?=") == "b@c.d. ");
  for (const char* odd : {"=?iso-2022-jp?q?=1B$B;3?=", "=?iso-2022-jp?q?=1B$B;=1B(B?=",
                          "=?iso-2022-jp?q?=1B$C;3=1B(B?=", "=?iso-2022-jp?q?=1B$B; =1B(B?=",
                          "=?iso-2022-jp?q?a=1B?=", "=?iso-2022-kr?q?a?=", "=?iso-2022-jp?q?=1B(I=0A=1B(B?="})
    CHECK_FALSE(decode_encoded_words(odd).has_value());
}
