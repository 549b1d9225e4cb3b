#include "remote/routes.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace postern;

TEST_CASE("the nearest route of smtproutes is taken") {
  const Result<RouteTable> table = RouteTable::parse(
      "# comment\n"
      "example.org:relay.example.net:2525\n"
      ".example.org:[192.0.2.1]:26\n"
      "Direct.example.org:\n"
      "v6.test:[2001:db8::1]:27\n"
      "v4.test:192.0.2.2\n"
      "[192.0.2.9]:literal.example.net\n"
      ":smart.example.net \n",
      "smtproutes");
  REQUIRE(table.ok());
  struct Row {
    std::string domain, host;
    uint16_t port;
  };
  const std::vector<Row> rows = {
      {"example.org", "relay.example.net", 2525},
      {"EXAMPLE.org", "relay.example.net", 2525},
      {"a.example.org", "192.0.2.1", 26},
      {"a.b.example.org", "192.0.2.1", 26},
      {"direct.example.org", "", 0},
      {"xexample.org", "smart.example.net", 0},
      {"v6.test", "2001:db8::1", 27},
      {"v4.test", "192.0.2.2", 0},
      {"[192.0.2.9]", "literal.example.net", 0},
      {"", "smart.example.net", 0},
      {".", "smart.example.net", 0},
  };
  for (const Row& row : rows) {
    CAPTURE(row.domain);
    const Route route = table->find(row.domain);
    CHECK(route.host == row.host);
    CHECK(route.port == row.port);
  }
  CHECK(RouteTable().find("example.org").host.empty());
}

TEST_CASE("a broken line of smtproutes stops all mail rather than sending it elsewhere") {
  for (const std::string line : {"example.org", "a:b:c", "a:b:0", "a:b:65536", "a:b:25:d", "a:2001:db8::1",
                                 "a:[1.2.3:25", "a:b c:25", "a:\"b\":25"}) {
    CAPTURE(line);
    const Result<RouteTable> table = RouteTable::parse("\n" + line, "f");
    REQUIRE(!table.ok());
    CHECK(!table.failure().permanent());
    CHECK(table.failure().text.starts_with("f:2: "));
  }
}

TEST_CASE("address literals are known in all their forms") {
  CHECK(address_literal("192.0.2.1") == "192.0.2.1");
  CHECK(address_literal("[192.0.2.1]") == "192.0.2.1");
  CHECK(address_literal("[IPv6:2001:DB8:0::1]") == "2001:db8::1");
  CHECK(address_literal("[2001:db8::1]") == "2001:db8::1");
  for (const std::string text :
       {"", "[]", "example.org", "[example.org]", "1.2.3", "1.2.3.4.5", "[1.2.3.4", "1.2.3.4]", "[IPv6:]"}) {
    CAPTURE(text);
    CHECK(address_literal(text).empty());
  }
}

TEST_CASE("a route that was ordered is a host, with or without a port") {
  struct Row {
    const char* text;
    const char* host;
    uint16_t port;
  };
  const Row rows[] = {{"Relay.example", "relay.example", 0},
                      {"relay.example:26", "relay.example", 26},
                      {"192.0.2.1:2525", "192.0.2.1", 2525},
                      {"[2001:DB8::1]", "2001:db8::1", 0},
                      {"[2001:db8::1]:26", "2001:db8::1", 26}};
  for (const Row& row : rows) {
    CAPTURE(row.text);
    Result<Route> route = parse_route(row.text);
    REQUIRE(route.ok());
    CHECK(route->host == row.host);
    CHECK(route->port == row.port);
  }
  for (const char* bad : {"", ":25", "a:0", "a:smtp", "a:1:2", "a b", "2001:db8::1"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_route(bad).ok());
  }
}
