#include "smtpd/path.h"

#include <doctest/doctest.h>

#include "lib/local_part.h"

using namespace postern::smtpd;
using postern::has_route_in_it;

namespace {

struct Case {
  std::string text;
  const char* address;  // nullptr: not a path
};

const std::string kLabel63(63, 'a');

}  // namespace

TEST_CASE("paths of RFC 5321 are understood, and nothing else") {
  const Case cases[] = {
      {"<>", ""},
      {"<a@b>", "a@b"},
      {"<a@b.example>", "a@b.example"},
      {"<A.B@Example.ORG>", "A.B@example.org"},
      {"<!#$%&'*+-/=?^_`{|}~@b.example>", "!#$%&'*+-/=?^_`{|}~@b.example"},
      {"<a@[127.0.0.1]>", "a@[127.0.0.1]"},
      {"<a@[IPv6:2001:DB8::1]>", "a@[ipv6:2001:db8::1]"},
      {"<@one.example:a@b.example>", "a@b.example"},
      {"<@one.example,@[127.0.0.1]:a@b.example>", "a@b.example"},
      {"<postmaster>", "postmaster"},
      {"<PostMaster>", "PostMaster"},
      {"<a>", "a"},
      {"<\"a b\">", "\"a b\""},
      {"<\"a@b\">", nullptr},
      {"<\"a@example.org\">", nullptr},
      {"<under_score@under_score.example>", "under_score@under_score.example"},
      // Quoted local-parts keep their quotes only where they need them.
      {"<\"a\"@b.example>", "a@b.example"},
      {"<\"a.b\"@b.example>", "a.b@b.example"},
      {"<\"a\\b\"@b.example>", "ab@b.example"},
      {"<\"a b\"@b.example>", "\"a b\"@b.example"},
      {"<\"a..b\"@b.example>", "\"a..b\"@b.example"},
      {"<\"\"@b.example>", "\"\"@b.example"},
      {"<\"a@b\"@c.example>", "\"a@b\"@c.example"},
      {"<\"a>b\"@c.example>", "\"a>b\"@c.example"},
      {"<\"a\\\"\\\\\"@c.example>", "\"a\\\"\\\\\"@c.example"},
      // RFC 6531: UTF-8, domains as A-labels.
      {"<\"\xc3\xa4 x\"@c.example>", "\"\xc3\xa4 x\"@c.example"},
      {"<\"\xc3\xa4\"@c.example>", "\xc3\xa4@c.example"},
      {"<\xc3\xa4@c.example>", "\xc3\xa4@c.example"},
      {"<a@m\xc3\xbcnchen.Example>", "a@xn--mnchen-3ya.example"},
      {"<@m\xc3\xbcnchen.example:a@b>", "a@b"},
      // Broken ones.
      {"", nullptr},
      {"<", nullptr},
      {">", nullptr},
      {"a@b", nullptr},
      {"<a@b", nullptr},
      {"< >", nullptr},
      {"<#@[]>", nullptr},
      {"<list-@b.example-@[]>", nullptr},
      {"<@b>", nullptr},
      {"<a@>", nullptr},
      {"<@>", nullptr},
      {"<a@@b>", nullptr},
      {"<a@b@c>", nullptr},
      {"<a b@c>", nullptr},
      {"<a@b c>", nullptr},
      {"<.a@b>", nullptr},
      {"<a.@b>", nullptr},
      {"<a..b@c>", nullptr},
      {"<a@.b>", nullptr},
      {"<a@b.>", nullptr},
      {"<a@b..c>", nullptr},
      {"<a@-b>", nullptr},
      {"<a@b->", nullptr},
      {"<a@b!>", nullptr},
      {"<(a)@b>", nullptr},
      {"<a@b(c)>", nullptr},
      {"<a,b@c>", nullptr},
      {"<a@[127.0.0]>", nullptr},
      {"<a@[127.0.0.1>", nullptr},
      {"<a@127.0.0.1]>", nullptr},
      {"<a@[]>", nullptr},
      {"<a@[IPv6:]>", nullptr},
      {"<a@[IPv6:1.2.3.4]>", nullptr},
      {"<a@[::1]>", nullptr},
      {"<a@[tag:content]>", nullptr},
      {std::string("<a@[127.0.0.1\0]>", 16), nullptr},
      {"<\"a@b.example>", nullptr},
      {"<\"a\\\"@b.example>", nullptr},
      {"<\"a\"b@c.example>", nullptr},
      {"<a\"b\"@c.example>", nullptr},
      {"<\"a\rb\"@c.example>", nullptr},
      {"<\"a\\\nb\"@c.example>", nullptr},
      {"<\"\xc3\"@c.example>", nullptr},
      {"<\xc3@c.example>", nullptr},
      {"<a@\xc3.example>", nullptr},
      {"<\xed\xa0\x80@c.example>", nullptr},
      {"<\xc0\xae@c.example>", nullptr},
      {"<@\xff:a@c.example>", nullptr},
      {std::string("<a\0b@c>", 7), nullptr},
      {std::string("<a@c\0>", 6), nullptr},
      {"<@one.example a@b>", nullptr},
      {"<@one.example,a@b>", nullptr},
      {"<@one.example:>", nullptr},
      {"<@one.example,:a@b>", nullptr},
      {"<one.example:a@b>", nullptr},
      {"<a@" + kLabel63 + "a.example>", nullptr},
      {"<" + std::string(250, 'a') + "@b.cd>", nullptr},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    const std::optional<Path> path = parse_path(c.text);
    REQUIRE(path.has_value() == (c.address != nullptr));
    if (!path) continue;
    CHECK(path->address == c.address);
    CHECK(path->length == c.text.size());
  }
}

TEST_CASE("a path may be 256 bytes long, and a label 63") {
  const std::string longest = "<" + std::string(248, 'a') + "@b.cd>";
  REQUIRE(longest.size() == 255);
  CHECK(parse_path(longest));
  CHECK(parse_path("<" + std::string(249, 'a') + "@b.cd>"));
  CHECK_FALSE(parse_path("<" + std::string(250, 'a') + "@b.cd>"));
  CHECK(parse_path("<a@" + kLabel63 + ".example>"));
  CHECK_FALSE(parse_path("<a@a" + kLabel63 + ".example>"));
}

TEST_CASE("what follows a path is left to the caller") {
  const std::optional<Path> path = parse_path("<\"a>b\"@c> SIZE=1");
  REQUIRE(path);
  CHECK(path->length == 9);
}

TEST_CASE("an address that was understood is understood again and stays as it is") {
  for (const std::string_view text :
       {"<\"a b\\\"\"@C>", "<a@B>", "<\"\"@c>", "<\"a\"@c>", "<@x:\"q q\"@C.D>"}) {
    CAPTURE(text);
    const std::optional<Path> once = parse_path(text);
    REQUIRE(once);
    const std::optional<Path> twice = parse_path("<" + once->address + ">");
    REQUIRE(twice);
    CHECK(twice->address == once->address);
  }
}

TEST_CASE("a path says whether it needs SMTPUTF8, an ignored route included") {
  CHECK_FALSE(parse_path("<a@xn--mnchen-3ya.example>")->utf8);
  for (const std::string_view text :
       {"<\xc3\xa4@b>", "<a@\xc3\xa4>", "<@\xc3\xa4:a@b>", "<\"\xc3\xa4\"@b>"}) {
    CAPTURE(text);
    CHECK(parse_path(text)->utf8);
  }
}

TEST_CASE("routes inside a local-part are seen") {
  for (const char* local : {"a%b", "b!a", "\"a@b\"", "%", "a!b%c"}) CHECK(has_route_in_it(local));
  for (const char* local : {"a", "a+b", "a=b", "\"a b\"", "prvs=1=a"}) CHECK_FALSE(has_route_in_it(local));
}
