#include "lib/ldap_filter.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

using namespace postern;

namespace {

std::string expanded(std::string_view text, const LdapValues& values) {
  const Result<LdapFilter> filter = LdapFilter::parse(text);
  REQUIRE(filter);
  return filter->expand(values).value_or("not asked");
}

}  // namespace

TEST_CASE("tokens become the parts of the address") {
  const LdapValues values{.address = "a@b@example.org", .dn = "cn=A,dc=x", .group = "g", .sender = "s@t"};
  CHECK(expanded("(mail={a})", values) == "(mail=a@b@example.org)");
  CHECK(expanded("(&(u={u})(d={d}))", values) == "(&(u=a@b)(d=example.org))");
  CHECK(expanded("(!(|(m={dn})(g={g})(f={f})))", values) == "(!(|(m=cn\\3dA\\2cdc\\3dx)(g=g)(f=s@t)))");
  CHECK(expanded("(x={a}{g})", values) == "(x=a@b@example.orgg)");
  CHECK(expanded("(mail={d})", {.address = "alone"}) == "(mail=)");
  CHECK(expanded("(mail={u})", {.address = "alone"}) == "(mail=alone)");
  CHECK(expanded("(mail={a})", {}) == "(mail=)");
}

TEST_CASE("what is put in for a token stays a value, whatever bytes it has") {
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"*", "(mail=\\2a)"},
      {")(uid=*", "(mail=\\29\\28uid\\3d\\2a)"},
      {"\\2a", "(mail=\\5c2a)"},
      {std::string("a\0b", 3), "(mail=a\\00b)"},
      {"\xc3\xa9", "(mail=\\c3\\a9)"},
      {"{a}", "(mail=\\7ba\\7d)"},
      {" x\r\n", "(mail=\\20x\\0d\\0a)"},
  };
  for (const auto& row : rows) {
    const auto& value = row.first;
    const auto& expected = row.second;
    CAPTURE(value);
    CHECK(expanded("(mail={a})", {.address = value}) == expected);
  }
}

TEST_CASE("an empty value beside a star asks for nobody, not for everybody") {
  CHECK(expanded("(mail={d}*)", {.address = "alone"}) == "not asked");
  CHECK(expanded("(mail=*@{d})", {.address = "alone"}) == "not asked");
  CHECK(expanded("(&(a=*)(mail={d}))", {.address = "alone"}) == "(&(a=*)(mail=))");
}

TEST_CASE("filters of every form are taken, and others say what is wrong") {
  for (const char* text :
       {"(mail={a})", "(a=*)", "(a=x*y*z)", "(a~=b)", "(a>=1)", "(a<=1)", "(a:dn:2.5.13.5:=x)",
        "(memberOf:1.2.840.113556.1.4.1941:={g})", "(a;binary=\\ff)", "(&(a=1)(b=2)(!(c=3)))", "(a=)"}) {
    CAPTURE(text);
    CHECK(LdapFilter::parse(text).ok());
  }
  const std::string deep = [] {
    std::string text;
    for (int i = 0; i < 40; ++i) text += "(!";
    return text;
  }();
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"", "no \"(\""},
      {"mail={a}", "no \"(\""},
      {"(", "ends behind"},
      {"(mail={a}", "\")\" is missing"},
      {"(mail={a}))", "more behind"},
      {"({a}=x)", "no attribute"},
      {"(mail{a}=x)", "no \"=\""},
      {"(={a})", "no attribute"},
      {"(&)", "no \"(\""},
      {"(a=b(c)", "\\28"},
      {"(a=\\2)", "two hexadecimal"},
      {"(a=\\zz)", "two hexadecimal"},
      {"(a={x})", "is none of"},
      {"(a=b}", "is none of"},
      {"(a=**)", "are one"},
      {std::string("(a=\0)", 5), "NUL"},
      {"(&(a=1) (b=2))", "\")\" is missing"},
      {deep, "too deeply"},
      {"(a=" + std::string(5000, 'x') + ")", "at most"},
  };
  for (const auto& row : rows) {
    const auto& text = row.first;
    const auto& expected = row.second;
    CAPTURE(text);
    const Result<LdapFilter> filter = LdapFilter::parse(text);
    REQUIRE_FALSE(filter.ok());
    CHECK(filter.failure().text.find(expected) != std::string::npos);
  }
}

TEST_CASE("a filter knows its tokens") {
  const Result<LdapFilter> filter = LdapFilter::parse("(|(mail={a})(x={f}))");
  REQUIRE(filter);
  CHECK(filter->uses(LdapToken::address));
  CHECK(filter->uses(LdapToken::sender));
  CHECK_FALSE(filter->uses(LdapToken::group));
}
