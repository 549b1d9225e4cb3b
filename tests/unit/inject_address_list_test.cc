#include "inject/address_list.h"

#include <doctest/doctest.h>

#include <string>

using namespace postern::inject;

namespace {

const Completion kCompletion{
    .default_host = "mx.example.org", .default_domain = "example.org", .plus_domain = "example.net"};

// The envelope addresses of a list, with blanks between them; "-" when it is none.
std::string addresses_of(const std::string& text) {
  const std::optional<std::vector<Mailbox>> list = parse_address_list(text);
  if (!list) return "-";
  std::string all;
  for (const Mailbox& mailbox : *list)
    all += (all.empty() ? "" : " ") + (mailbox.null() ? "<>" : envelope_address(mailbox, kCompletion));
  return all;
}

std::string completed(const std::string& text) {
  const std::optional<std::vector<Mailbox>> list = parse_address_list(text);
  return list ? complete_text(text, *list, kCompletion) : "-";
}

}  // namespace

TEST_CASE("an address list is read in all the forms of RFC 5322") {
  struct Row {
    std::string text, addresses;
  };
  const Row rows[] = {
      {"", ""},
      {" \t\n ", ""},
      {"a@b.c", "a@b.c"},
      {"a@B.C", "a@b.c"},
      {"A@b.c", "A@b.c"},
      {" a @ b . c ", "a@b.c"},
      {"a@b.c,d@e.f", "a@b.c d@e.f"},
      {",, a@b.c ,,d@e.f,", "a@b.c d@e.f"},
      {"Anna <a@b.c>", "a@b.c"},
      {"Anna B. Carlson <a@b.c>", "a@b.c"},
      {"\"Carlson, Anna\" <a@b.c>, d@e.f", "a@b.c d@e.f"},
      {"\"a \\\" <x@y.z>\" <a@b.c>", "a@b.c"},
      {"a@b.c (Anna)", "a@b.c"},
      {"(one (two \\) deep), x@y.z) a@b.c", "a@b.c"},
      {"a(b)@(c)d.(e)f", "a@d.f"},
      {"a@b.c <d@e.f>", "d@e.f"},
      {"friends: a@b.c, Dora <d@e.f>;", "a@b.c d@e.f"},
      {"nobody:;", ""},
      {"Undisclosed recipients:;, a@b.c", "a@b.c"},
      {"g: a@b.c; d@e.f", "a@b.c d@e.f"},
      {"g: a@b.c;, h: d@e.f;", "a@b.c d@e.f"},
      {"g: a@b.c", "a@b.c"},
      {"<@one.x,@two.y:a@b.c>", "a@b.c"},
      {"<>", "<>"},
      {"Nobody <>", "<>"},
      {"\"a b\"@c.d", "\"a b\"@c.d"},
      {"\"ab\"@c.d", "ab@c.d"},
      {"\"a@b\"@c.d", "\"a@b\"@c.d"},
      {"\"a\\\"b\"@c.d", "\"a\\\"b\"@c.d"},
      {"a.\"b c\".d@e.f", "\"a.b c.d\"@e.f"},
      {"a..b.@c.d", "\"a..b.\"@c.d"},
      {"a+b=c@d.e", "a+b=c@d.e"},
      {"a@[192.0.2.1]", "a@[192.0.2.1]"},
      {"a@[IPv6:2001:db8::1]", "a@[ipv6:2001:db8::1]"},
      {"#@[]", "#@[]"},
      {"j\xc3\xb6rg@b.c", "j\xc3\xb6rg@b.c"},
      {"J\xc3\xb6rg <a@b\xc3\xbc.c>", "a@b\xc3\xbc.c"},
      {"a@b.c,\n  d@e.f", "a@b.c d@e.f"},
      {"a@b.c,\r\n\td@e.f", "a@b.c d@e.f"},
      {"alice", "alice@mx.example.org"},
      {"alice@host", "alice@host.example.org"},
      {"alice@host+", "alice@host.example.net"},
      {"alice@a.b+", "alice@a.b.example.net"},
      {"alice@localhost", "alice@mx.example.org"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(addresses_of(row.text) == row.addresses);
  }
}

TEST_CASE("what is no address list is refused whole") {
  for (const std::string& text : {std::string("a b"),
                                  std::string("a@"),
                                  std::string("@b"),
                                  std::string("a@b@c"),
                                  std::string("a@b c"),
                                  std::string("<a@b.c"),
                                  std::string("a@b.c>"),
                                  std::string("<a@b.c> d"),
                                  std::string("(a@b.c"),
                                  std::string("\"a@b.c"),
                                  std::string("a@[b"),
                                  std::string("a@b..c"),
                                  std::string("a@.b"),
                                  std::string("a@b."),
                                  std::string("a)b"),
                                  std::string("a\\b@c"),
                                  std::string("g: h: a@b.c;;"),
                                  std::string(";"),
                                  std::string("a@b.c;"),
                                  std::string("a@b\x01.c"),
                                  std::string("a\0b@c.d", 7),
                                  std::string("\"a\0b\"@c.d", 9),
                                  std::string("\"a\x7f\"@c.d"),
                                  std::string("a@b$c.d"),
                                  std::string("<@one.x a@b.c>"),
                                  std::string("."),
                                  std::string("a@[b\\]c]"),
                                  std::string("x (\\")}) {
    CAPTURE(text);
    CHECK(addresses_of(text) == "-");
  }
}

TEST_CASE("completing changes the addresses that need it and no other byte") {
  struct Row {
    std::string text, completed;
  };
  const Row rows[] = {
      {" a@b.c,\n\t(x) d@e.f ", " a@b.c,\n\t(x) d@e.f "},
      {" alice", " alice@mx.example.org"},
      {" Alice <alice>, bob (Bob)", " Alice <alice@mx.example.org>, bob@mx.example.org (Bob)"},
      {" \"a b\" (c)", " \"a b\"@mx.example.org (c)"},
      {" a@host (c), b@other+,c@LOCALHOST", " a@host.example.org (c), b@other.example.net,c@mx.example.org"},
      {" g: alice, Bob <bob@h>;", " g: alice@mx.example.org, Bob <bob@h.example.org>;"},
      {" <>", " <>"},
      {" a @ b . c", " a @ b . c"},
      {"", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(completed(row.text) == row.completed);
    CHECK(completed(row.completed) == row.completed);
  }
}

TEST_CASE("a long or deep list costs no more than its length") {
  std::string text;
  for (int i = 0; i < 20000; ++i) text += "a" + std::to_string(i) + "@b.c, ";
  CHECK(parse_address_list(text)->size() == 20000);
  CHECK(addresses_of(std::string(200000, '(')) == "-");
  CHECK(addresses_of(std::string(100000, '(') + std::string(100000, ')') + "a@b.c") == "a@b.c");
  CHECK(addresses_of(std::string(200000, '<')) == "-");
}
