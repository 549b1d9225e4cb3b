#include "lib/spf.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "lib/spf_macro.h"
#include "lib/spf_record.h"
#include "tests/unit/dns_stub.h"

using namespace postern;

namespace {

SpfAnswer check(std::string_view zone, std::string ip = "192.0.2.1", std::string sender = "a@example.org",
                std::vector<std::string>* asked = nullptr) {
  return check_spf({.ip = std::move(ip),
                    .helo = "mail.example.net",
                    .sender = std::move(sender),
                    .receiver = "mx.example.com"},
                   dns_of_lines(zone, asked));
}

std::string result(std::string_view zone, std::string ip = "192.0.2.1") {
  return std::string(spf_word(check(zone, std::move(ip)).result));
}

std::string repeated(const std::string& text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

}  // namespace

TEST_CASE("SPF: the term that matches decides") {
  const std::string mx =
      "\nexample.org MX 10 m.example.org\nm.example.org A 192.0.2.1\nm.example.org AAAA 2001:db8::1";
  struct Case {
    const char* record;
    const char* ip;
    const char* result;
  };
  const Case cases[] = {
      {"v=spf1 -all", "192.0.2.1", "fail"},
      {"v=spf1 mx -all", "192.0.2.1", "pass"},
      {"v=spf1 mx -all", "2001:db8::1", "pass"},
      {"v=spf1 mx -all", "2001:db8::2", "fail"},
      {"v=spf1 mx//64 -all", "2001:db8::2", "pass"},
      {"v=spf1 mx/24 ~all", "192.0.2.200", "pass"},
      {"v=spf1 mx/32//64 ~all", "192.0.2.200", "softfail"},
      {"v=spf1 ?a:m.example.org", "192.0.2.1", "neutral"},
      {"v=spf1", "192.0.2.1", "neutral"},
      {"v=spf1 ip4:192.0.2.0/31 -all", "192.0.2.1", "pass"},
      {"v=spf1 ip4:192.0.2.1 -all", "::ffff:192.0.2.1", "pass"},
      {"v=spf1 ip6:::ffff:192.0.2.1 -all", "192.0.2.1", "fail"},
      {"v=spf1 ip6:::/0 -all", "192.0.2.1", "fail"},
      {"v=spf1 ip4:0.0.0.0/0 -all", "192.0.2.1", "pass"},
      {"v=spf10 -all", "192.0.2.1", "none"},
      {"V=SPF1 -ALL", "192.0.2.1", "fail"},
      {"v=spf1 all:x", "192.0.2.1", "permerror"},
      {"v=spf1 a/33 -all", "192.0.2.1", "permerror"},
      {"v=spf1 a/024 -all", "192.0.2.1", "permerror"},
      {"v=spf1 a/24/64 -all", "192.0.2.1", "permerror"},
      {"v=spf1 mx: -all", "192.0.2.1", "permerror"},
      {"v=spf1 a:example -all", "192.0.2.1", "permerror"},
      {"v=spf1 a:%{x}.example.org -all", "192.0.2.1", "permerror"},
      {"v=spf1 a:%{d0}.example.org -all", "192.0.2.1", "permerror"},
      {"v=spf1 exists:%{c}.example.org -all", "192.0.2.1", "permerror"},
      {"v=spf1 redirect=a.example.org redirect=b.example.org", "192.0.2.1", "permerror"},
      {"v=spf1 include:nothing.example.org -all", "192.0.2.1", "permerror"},
      {"v=spf1 redirect=nothing.example.org", "192.0.2.1", "permerror"},
      {"v=spf1 future=%{i} -all", "192.0.2.1", "fail"},
      {"v=spf1 future=% -all", "192.0.2.1", "permerror"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.record);
    CAPTURE(c.ip);
    CHECK(result("example.org TXT \"" + std::string(c.record) + "\"" + mx, c.ip) == c.result);
  }
}

TEST_CASE("SPF: no answer is temporary, two records are an error, none is none") {
  CHECK(result("example.org TXT TIMEOUT") == "temperror");
  CHECK(result("example.org TXT \"v=spf1 a:x.example.org -all\"\nx.example.org A SERVFAIL") == "temperror");
  CHECK(result("example.org TXT \"v=spf1 -all\"\nexample.org TXT \"v=spf1 +all\"") == "permerror");
  CHECK(result("example.org TXT \"something else\"") == "none");
  CHECK(result("other.example TXT \"v=spf1 -all\"") == "none");
  CHECK(check("", "192.0.2.1", "a@[192.0.2.1]").result == SpfResult::none);
  CHECK(check("", "192.0.2.1", "a@localhost").result == SpfResult::none);
  CHECK(check("", "unknown").result == SpfResult::none);
}

TEST_CASE("SPF: the null reverse-path is judged by the HELO name") {
  const SpfAnswer answer = check("mail.example.net TXT \"v=spf1 -all\"", "192.0.2.1", "");
  CHECK(answer.result == SpfResult::fail);
  CHECK(answer.identity == "helo");
  CHECK(answer.domain == "mail.example.net");
  CHECK(answer.mechanism == "-all");
}

TEST_CASE("SPF: ten terms may ask the DNS, two answers may be empty, and nothing goes round in circles") {
  const std::string host = "x.example.org A 198.51.100.1\n";
  CHECK(result(host + "example.org TXT \"v=spf1 " + repeated("a:x.example.org ", 10) + "-all\"") == "fail");
  CHECK(result(host + "example.org TXT \"v=spf1 " + repeated("a:x.example.org ", 11) + "-all\"") ==
        "permerror");
  CHECK(result(host + "example.org TXT \"v=spf1 a:n1.example.org a:n2.example.org -all\"") == "fail");
  CHECK(result(host + "example.org TXT \"v=spf1 a:n1.example.org a:n2.example.org a:n3.example.org -all\"") ==
        "permerror");
  for (const char* record : {"v=spf1 include:example.org -all", "v=spf1 redirect=example.org",
                             "v=spf1 include:example.org include:example.org include:example.org"}) {
    CAPTURE(record);
    std::vector<std::string> asked;
    CHECK(check("example.org TXT \"" + std::string(record) + "\"", "192.0.2.1", "a@example.org", &asked)
              .result == SpfResult::permerror);
    CHECK(asked.size() == 11);
  }
  std::string hosts = "example.org TXT \"v=spf1 mx -all\"\n";
  for (int i = 0; i < 11; ++i) hosts += "example.org MX 1 m" + std::to_string(i) + ".example.org\n";
  CHECK(result(hosts) == "permerror");
  // Hosts without an address of the client's family are no empty answers.
  CHECK(result("example.org TXT \"v=spf1 mx -all\"\nexample.org MX 1 a.example.org\nexample.org MX 1 "
               "b.example.org\n"
               "example.org MX 1 c.example.org\nexample.org MX 1 d.example.org\na.example.org A "
               "192.0.2.1\nb.example.org "
               "A 192.0.2.1\nc.example.org A 192.0.2.1\nd.example.org A 192.0.2.1",
               "2001:db8::1") == "fail");
}

TEST_CASE("SPF: of many PTR names ten are looked at") {
  std::string zone = "example.org TXT \"v=spf1 ptr -all\"\n";
  for (int i = 0; i < 30; ++i) {
    const std::string name = "p" + std::to_string(i) + ".example.org";
    zone += "1.2.0.192.in-addr.arpa PTR " + name + "\n" + name + " A 198.51.100.1\n";
  }
  std::vector<std::string> asked;
  CHECK(check(zone, "192.0.2.1", "a@example.org", &asked).result == SpfResult::fail);
  CHECK(asked.size() == 12);
  CHECK(
      result("example.org TXT \"v=spf1 ptr -all\"\n1.2.0.192.in-addr.arpa PTR p.example.org\np.example.org A "
             "192.0.2.1") == "pass");
  CHECK(
      result(
          "example.org TXT \"v=spf1 ptr -all\"\n1.2.0.192.in-addr.arpa PTR badexample.org\nbadexample.org A "
          "192.0.2.1") == "fail");
}

TEST_CASE("SPF: however often a record asks for the name of the client, each PTR name is asked for once") {
  std::string zone = "example.org TXT";
  const std::string record =
      "v=spf1 exists:" + repeated("%{p}", 200) + ".example.org ptr include:b.example.org -all";
  for (size_t at = 0; at < record.size(); at += 250) zone += " \"" + record.substr(at, 250) + "\"";
  zone += "\nb.example.org TXT \"v=spf1 exists:%{p}.x.example.org ptr ~all\"\n";
  zone += "x.example.org A 192.0.2.9\n";
  for (int i = 0; i < 30; ++i) {
    const std::string name = "p" + std::to_string(i) + ".b.example.org";
    zone += "1.2.0.192.in-addr.arpa PTR " + name + "\n" + name + " A 198.51.100.1\n";
  }
  std::vector<std::string> asked;
  CHECK(check(zone, "192.0.2.1", "a@example.org", &asked).result == SpfResult::fail);
  CHECK(asked.size() <= 16);  // two records, two names that exist or not, one PTR record and its ten names
}

TEST_CASE("SPF: an explanation is what the domain says, in one line of ASCII, or nothing") {
  const std::string zone = "example.org TXT \"v=spf1 -all exp=e.example.org\"\n";
  const auto explained = [&](const std::string& lines) { return check(zone + lines).explanation; };
  CHECK(explained("e.example.org TXT \"%{i} is not %{o}, says %{r}; 100%% %{c}\"") ==
        "192.0.2.1 is not example.org, says mx.example.com; 100% 192.0.2.1");
  CHECK(explained("") == "");
  CHECK(explained("e.example.org TXT \"one\"\ne.example.org TXT \"two\"") == "");
  CHECK(explained("e.example.org TXT \"a\\013\\010250 forged\"") == "");
  CHECK(explained("e.example.org TXT \"\\228\"") == "");
  CHECK(explained("e.example.org TXT \"%{\"") == "");
  CHECK(explained("e.example.org TXT TIMEOUT") == "");
  CHECK(explained("e.example.org TXT \"" + std::string(255, 'x') + "\" \"" + std::string(255, 'y') + "\"")
            .size() == 400);
  const SpfAnswer hostile =
      check_spf({.ip = "192.0.2.1", .helo = "h.example", .sender = "a\r\n250 x@example.org", .receiver = ""},
                dns_of_lines(zone + "e.example.org TXT \"%{l}\""));
  CHECK(hostile.result == SpfResult::fail);
  CHECK(hostile.explanation == "");
}

TEST_CASE("SPF macros stand for what RFC 7208 says") {
  SpfMacros macros{.local_part = "strong-bad",
                   .sender_domain = "email.example.com",
                   .domain = "email.example.com",
                   .helo = "h.example",
                   .ip = *parse_spf_address("192.0.2.3"),
                   .receiver = "",
                   .validated_name = {}};
  // The examples of 7.4.
  const std::pair<const char*, const char*> cases[] = {
      {"%{s}", "strong-bad@email.example.com"},
      {"%{o}", "email.example.com"},
      {"%{d4}", "email.example.com"},
      {"%{d2}", "example.com"},
      {"%{d1}", "com"},
      {"%{dr}", "com.example.email"},
      {"%{d2r}", "example.email"},
      {"%{l-}", "strong.bad"},
      {"%{lr-}", "bad.strong"},
      {"%{l1r-}", "strong"},
      {"%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"},
      {"%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"},
      {"%{S}", "strong-bad%40email.example.com"},
      {"%{d99999999999999999999999}", "email.example.com"},
      {"%%%_%-", "% %20"},
      {"%{p}.%{r}", "unknown.unknown"},
  };
  for (const auto& [text, expected] : cases) {
    const std::string shown = text;
    CAPTURE(shown);
    CHECK(expand_spf_macros(text, SpfText::explanation, macros) == expected);
  }
  for (const char* broken :
       {"%", "%{", "%{}", "%{i", "%{0}", "%{z}", "%{d00}", "%{dr3}", "%{d.x}", "%x", "\x80"}) {
    CAPTURE(broken);
    CHECK_FALSE(expand_spf_macros(broken, SpfText::explanation, macros).has_value());
  }
  macros.ip = *parse_spf_address("2001:db8::cb01");
  CHECK(expand_spf_macros("%{ir}.%{v}", SpfText::domain, macros) ==
        "1.0.B.C.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.B.D.0.1.0.0.2.ip6");
  // Too long for a name: labels are left out on the left.
  macros.local_part = std::string(200, 'x') + "." + std::string(50, 'y');
  CHECK(expand_spf_domain("%{l}.example.com", macros) == std::string(50, 'y') + ".example.com");
  macros.local_part = repeated("x", 60000);
  CHECK_FALSE(expand_spf_macros("%{l}%{l}", SpfText::explanation, macros).has_value());
}

TEST_CASE("SPF: hostile records are errors, and cost no time") {
  const std::string long_text(60000, 'a');
  CHECK_FALSE(parse_spf_record("v=spf1 " + long_text).ok());
  CHECK_FALSE(parse_spf_record("v=spf1 a:" + long_text).ok());
  CHECK_FALSE(parse_spf_record("v=spf1 \x80").ok());
  CHECK_FALSE(parse_spf_record(std::string("v=spf1 a\0b", 10)).ok());
  CHECK_FALSE(parse_spf_record("v=spf1\t-all").ok());
  CHECK_FALSE(parse_spf_record("v=spf1 -all\r").ok());
  CHECK_FALSE(parse_spf_record("v=spf1 =x").ok());
  CHECK_FALSE(parse_spf_record("v=spf1 ip4:1.2.3.4/33").ok());
  CHECK_FALSE(parse_spf_record("v=spf1 ip4:::1").ok());
  CHECK_FALSE(parse_spf_record("v=spf1 ip6:1.2.3.4").ok());
  CHECK_FALSE(parse_spf_record("").ok());
  CHECK(parse_spf_record("v=spf1 " + repeated("ip4:192.0.2.1 ", 4000)).ok());
}
