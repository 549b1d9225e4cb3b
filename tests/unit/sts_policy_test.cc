#include "remote/sts_policy.h"

#include <doctest/doctest.h>

#include <string>

#include "lib/dns_text.h"
#include "remote/tag_record.h"

using namespace postern;

namespace {

constexpr const char* kGood =
    "version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.Example.NET\r\nmax_age: 604800\r\n";

StsPolicy with_mx(std::vector<std::string> mx) {
  return {.mode = StsPolicy::Mode::enforce, .mx = std::move(mx), .id = "1", .max_age = 100};
}

}  // namespace

TEST_CASE("the policy of RFC 8461 3.2 is read") {
  const Result<StsPolicy> policy = parse_sts_policy(kGood);
  REQUIRE(policy.ok());
  CHECK(policy->mode == StsPolicy::Mode::enforce);
  CHECK(policy->mx == std::vector<std::string>{"mail.example.com", "*.example.net"});
  CHECK(policy->max_age == 604800);
  CHECK(sts_policy_lines(*policy) == std::vector<std::string>{"version: STSv1", "mode: enforce",
                                                              "mx: mail.example.com", "mx: *.example.net",
                                                              "max_age: 604800"});
}

TEST_CASE("line ends, blanks, fields nobody knows and doubled fields do not matter") {
  const Result<StsPolicy> policy = parse_sts_policy(
      "\nmx:a.example\nversion:STSv1\nextension: x: y\nmode:   testing  \nmode: enforce\nmax_age: "
      "99\nmax_age: 1");
  REQUIRE(policy.ok());
  CHECK(policy->mode == StsPolicy::Mode::testing);
  CHECK(policy->max_age == 99);
}

TEST_CASE("none needs no mx, and max_age is at most a year") {
  const Result<StsPolicy> none = parse_sts_policy("version: STSv1\nmode: none\nmax_age: 9999999999\n");
  REQUIRE(none.ok());
  CHECK(none->mode == StsPolicy::Mode::none);
  CHECK(none->max_age == 31557600);
}

TEST_CASE("a policy that is none is refused for good") {
  using namespace std::string_literals;
  std::string many = "version: STSv1\nmode: enforce\nmax_age: 1\n";
  for (int i = 0; i < 201; ++i) many += "mx: a" + std::to_string(i) + ".example\n";
  for (const std::string& text :
       {""s, "\0"s, "version: STSv1\n"s, "mode: enforce\nmx: a.b\nmax_age: 1\n"s,
        "version: STSv2\nmode: enforce\nmx: a.b\nmax_age: 1\n"s,
        "version: STSv1\nmode: Enforce\nmx: a.b\nmax_age: 1\n"s,
        "version: STSv1\nmode: enforce\nmax_age: 1\n"s, "version: STSv1\nmode: enforce\nmx: a.b\n"s,
        "version: STSv1\nmode: enforce\nmx: a.b\nmax_age: -1\n"s,
        "version: STSv1\nmode: enforce\nmx: a.b\nmax_age: 10000000000\n"s,
        "version: STSv1\nmode: enforce\nmx: a b\nmax_age: 1\n"s,
        "version: STSv1\nmode: enforce\nmx: *\nmax_age: 1\n"s,
        "version: STSv1\nmode: enforce\nmx: a.*.b\nmax_age: 1\n"s,
        "version: STSv1\nmode: enforce\nmx: m\xc3\xbc.example\nmax_age: 1\n"s,
        "version: STSv1\nmode: enforce\nmx: a.b\nmax_age: 1\nhallo\n"s,
        "<html>\nversion: STSv1\nmode: enforce\nmx: a.b\nmax_age: 1\n"s, kGood + std::string(65536, ' '),
        many}) {
    CAPTURE(text);
    const Result<StsPolicy> policy = parse_sts_policy(text);
    REQUIRE_FALSE(policy.ok());
    CHECK(policy.failure().permanent());
  }
}

TEST_CASE("a wildcard stands for one left-most label") {
  struct Row {
    const char* pattern;
    const char* host;
    bool matches;
  };
  for (const Row& row :
       {Row{"mail.example.com", "mail.example.com", true}, Row{"mail.example.com", "MAIL.Example.com.", true},
        Row{"mail.example.com", "mail.example.com.evil", false},
        Row{"mail.example.com", "xmail.example.com", false}, Row{"*.example.com", "mail.example.com", true},
        Row{"*.example.com", "example.com", false}, Row{"*.example.com", ".example.com", false},
        Row{"*.example.com", "a.b.example.com", false}, Row{"*.example.com", "mailexample.com", false},
        Row{"*.example.com", "*.example.com", true}, Row{"*.example.com", "", false}}) {
    CAPTURE(row.pattern);
    CAPTURE(row.host);
    CHECK(sts_matches(with_mx({row.pattern}), row.host) == row.matches);
  }
  CHECK(sts_matches(with_mx({"a.b", "*.c"}), "d.c"));
  CHECK_FALSE(sts_matches(with_mx({}), "d.c"));
}

TEST_CASE("a domain is a file name of db/sts/ and no other") {
  for (const char* good : {"example.org", "xn--bcher-kva.example", "a.b.c", "_x.example"})
    CHECK(is_policy_domain(good));
  for (const char* bad :
       {"", ".", "..", "a", "../etc.x", "a..b", ".a.b", "a.b.", "a/b.c", "[192.0.2.1]", "-a.b"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_policy_domain(bad));
  }
  CHECK_FALSE(is_policy_domain(std::string(64, 'a') + ".b"));
  CHECK_FALSE(is_policy_domain(std::string("a.b\0c", 5)));
}

TEST_CASE("one record with an id announces a policy") {
  CHECK(sts_id_of({"v=STSv1; id=20160831085700Z;"}) == "20160831085700Z");
  CHECK(sts_id_of({"v=spf1 -all", "v=STSv1;id=1"}) == "1");
  CHECK(sts_id_of({"v=STSv1 ; x=y; id=a"}) == "a");
  CHECK(sts_id_of({}).empty());
  // RFC 8461 3.1 has no blanks around "=": such a record is none.
  CHECK(sts_id_of({"v=STSv1; id = 1"}).empty());
  CHECK(sts_id_of({"v=STSv1; id= 1"}).empty());
  CHECK(sts_id_of({"v = STSv1; id=1"}).empty());
  CHECK(sts_id_of({"v=STSv1; id=1", "v=STSv1; id=2"}).empty());
  CHECK(sts_id_of({"v=STSv1"}).empty());
  CHECK(sts_id_of({"v=STSv1; id="}).empty());
  CHECK(sts_id_of({"v=STSv1; id=a_b"}).empty());
  CHECK(sts_id_of({"v=STSv1; id=" + std::string(33, 'a')}).empty());
  CHECK(sts_id_of({"v=STSv12; id=1"}).empty());
  CHECK(sts_id_of({" v=STSv1; id=1"}).empty());
}

TEST_CASE("the strings of a TXT record are one") {
  CHECK(txt_bytes("\"v=STSv1; \" \"id=1\"") == "v=STSv1; id=1");
  CHECK(txt_bytes("\"a\\\"b\\059\\\\\"") == "a\"b;\\");
  CHECK(txt_bytes("\"\"") == "");
  CHECK_FALSE(txt_bytes("\"a").has_value());
  CHECK_FALSE(txt_bytes("\"\\25\"").has_value());
  CHECK_FALSE(txt_bytes("\"\\256\"").has_value());
  CHECK_FALSE(txt_bytes("\"\\").has_value());
}
