#include "lib/rewrite.h"

#include <doctest/doctest.h>

#include <string>

using namespace postern;

TEST_CASE("recipients go where qmail-send sends them") {
  Result<Rewriting> made =
      Rewriting::make("me.example", {"me.example", "Local.Example", ".below.example"},
                      {"shop.example:shop", "Info@shop.example:alice", ".shop.example:sub",
                       "not.shop.example:", "mail.example : box ", "shop.example:second",
                       "boss@local.example:never", "list@far.example:lists"});
  REQUIRE(made.ok());
  struct Row {
    std::string recipient, destination;  // L local, R remote
  };
  const Row rows[] = {
      {"a@me.example", "L a@me.example"},
      {"A@LOCAL.example", "L A@LOCAL.example"},
      {"postmaster", "L postmaster@me.example"},
      {"", "L @me.example"},
      {"a@x.below.example", "L a@x.below.example"},
      {"a@below.example", "R a@below.example"},
      {"Bob@Shop.Example", "L shop-Bob@Shop.Example"},
      {"INFO@shop.example", "L alice-INFO@shop.example"},
      {"a@deep.in.shop.example", "L sub-a@deep.in.shop.example"},
      {"a@not.shop.example", "R a@not.shop.example"},
      {"a@x.not.shop.example", "L sub-a@x.not.shop.example"},
      {"a@mail.example", "L box-a@mail.example"},
      {"boss@local.example", "L boss@local.example"},
      {"list@far.example", "L lists-list@far.example"},
      {"other@far.example", "R other@far.example"},
      {"a@myshop.example", "R a@myshop.example"},
      {"a@", "R a@"},
      {"\"a@shop.example\"@far.example", "R \"a@shop.example\"@far.example"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.recipient);
    const Rewritten to = made->of(row.recipient);
    CHECK((to.local ? "L " : "R ") + to.address == row.destination);
  }
  CHECK(made->of("Bob@FAR.example").domain == "far.example");
}

TEST_CASE("an entry without a name takes what no other does") {
  Result<Rewriting> made = Rewriting::make("me", {"me"}, {":all", "out.example:"});
  REQUIRE(made.ok());
  CHECK(made->of("a@far.example").address == "all-a@far.example");
  CHECK_FALSE(made->of("a@out.example").local);
  CHECK(made->of("a@me").address == "a@me");
}

TEST_CASE("a line of virtualdomains without a colon is refused with a remedy") {
  Result<Rewriting> made = Rewriting::make("me", {"me"}, {"shop.example"});
  REQUIRE_FALSE(made.ok());
  CHECK(made.failure().text.find("\"shop.example\" has no colon; write") != std::string::npos);
}
