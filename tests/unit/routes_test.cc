#include "remote/routes.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "scratch.h"

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
    const Route& route = table->find(row.domain);
    REQUIRE(route.hosts.size() == 1);
    CHECK(route.hosts[0].hop.host == row.host);
    CHECK(route.hosts[0].hop.port == row.port);
    CHECK(route.hosts[0].hop.way == (row.host.empty() ? NextHop::Way::mx : NextHop::Way::smtp));
  }
  CHECK(RouteTable().find("example.org").hosts[0].hop.way == NextHop::Way::mx);
}

TEST_CASE("lines as qmail has them mean what they meant") {
  // Blanks around colons, a port without a host, an empty port, a host called lmtp, the first of two lines.
  const Result<RouteTable> table = RouteTable::parse(
      "a.test : relay.test : 26\n"
      "b.test::26\n"
      "c.test:relay.test:\n"
      "d.test:lmtp:2525\n"
      "e.test:lmtp\n"
      "e.test:other\n",
      "f");
  REQUIRE(table.ok());
  const auto text = [&](const char* domain) {
    const NextHop& hop = table->find(domain).hosts.at(0).hop;
    return std::to_string(static_cast<int>(hop.way)) + " " + hop.host + ":" + std::to_string(hop.port);
  };
  CHECK(text("a.test") == "1 relay.test:26");
  CHECK(text("b.test") == "0 :26");
  CHECK(text("c.test") == "1 relay.test:0");
  CHECK(text("d.test") == "1 lmtp:2525");
  CHECK(text("e.test") == "1 lmtp:0");
}

TEST_CASE("a route has hosts with priorities, other ways, and options") {
  const Result<RouteTable> table = RouteTable::parse(
      "a.test:mx2.in:2525 20, mx1.in:25 10 , Mx3.in 30\n"
      "b.test:USEDNS, relay.test 5\n"
      "c.test:/dev/null\n"
      "d.test:lmtp:/run/dovecot/lmtp\n"
      "e.test:lmtp:[2001:db8::1]:24 10, lmtp:box.test 20\n"
      "f.test:relay.test:587 tls=secure auth=smart-host\n"
      "g.test:tls=off, USEDNS\n"
      "h.test:relay.test auth=x auth-without-tls=yes\n"
      "Boss@I.test:relay.test\n"
      "*:last.test\n",
      "f");
  REQUIRE_MESSAGE(table.ok(), table.failure().text);
  const auto text = [&](const Route& route) {
    std::string all;
    for (const RouteHost& host : route.hosts) {
      all += std::string("MSLD").substr(static_cast<size_t>(host.hop.way), 1) + host.hop.host + ":" +
             std::to_string(host.hop.port) + "/" + std::to_string(host.priority) + " ";
    }
    if (route.tls) all.append(tls_level_name(*route.tls)).append(" ");
    return all + route.auth + (route.auth_without_tls ? "!" : "");
  };
  CHECK(text(table->find("a.test")) == "Smx1.in:25/10 Smx2.in:2525/20 Smx3.in:0/30 ");
  CHECK(text(table->find("b.test")) == "M:0/0 Srelay.test:0/5 ");
  CHECK(text(table->find("c.test")) == "D:0/0 ");
  CHECK(table->find("c.test").discards());
  CHECK(text(table->find("d.test")) == "L/run/dovecot/lmtp:0/0 ");
  CHECK(text(table->find("e.test")) == "L2001:db8::1:24/10 Lbox.test:0/20 ");
  CHECK(text(table->find("f.test")) == "Srelay.test:587/0 secure smart-host");
  CHECK(text(table->find("h.test")) == "Srelay.test:0/0 x!");
  CHECK(text(table->find("i.test")) == "Slast.test:0/0 ");
  REQUIRE(table->find_address("BOSS", "i.test") != nullptr);
  CHECK(text(*table->find_address("BOSS", "i.test")) == "Srelay.test:0/0 ");
  CHECK(table->find_address("boss", "a.i.test") == nullptr);
  CHECK(table->has_addresses());
  CHECK(table->find("a.test").key != table->find("e.test").key);
  CHECK(table->find("x.test").key == table->find("i.test").key);
  // What differs in an option is another way: it needs another connection.
  CHECK(table->find("h.test").key != table->find("boss@i.test").key);
}

TEST_CASE("a broken line of smtproutes stops all mail rather than sending it elsewhere") {
  for (const std::string line : {"example.org",
                                 "a:b:c",
                                 "a:b:0",
                                 "a:b:65536",
                                 "a:b:25:d",
                                 "a:2001:db8::1",
                                 "a:[1.2.3:25",
                                 "a:b c:25",
                                 "a:\"b\":25",
                                 "a:b 10 20",
                                 "a:b ten",
                                 "a:b:25 70000",
                                 "a:b,,c:0",
                                 "a:/tmp/x",
                                 "a:26",
                                 "a b:c",
                                 "a:lmtp:/tmp/a,/b",
                                 "a:/dev/null, b",
                                 "a:lmtp:/tmp/a\\b",
                                 "a:b tls=maybe",
                                 "a:b auth=../x",
                                 "a:b auth=",
                                 "a:b colour=red",
                                 "a:USEDNS auth=x",
                                 "@a:b",
                                 "x@.a:b",
                                 "x@:b",
                                 "a:lmtp:USEDNS",
                                 "a:b auth-without-tls=maybe"}) {
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

TEST_CASE("a route that was ordered is a next hop, or several") {
  struct Row {
    const char* text;
    const char* host;
    uint16_t port;
  };
  const Row rows[] = {{"Relay.example", "relay.example", 0},
                      {"relay.example:26", "relay.example", 26},
                      {"192.0.2.1:2525", "192.0.2.1", 2525},
                      {"[2001:DB8::1]", "2001:db8::1", 0},
                      {"[2001:db8::1]:26", "2001:db8::1", 26},
                      {"lmtp:box.example:24", "box.example", 24},
                      {"lmtp:/run/lmtp", "/run/lmtp", 0},
                      {"USEDNS", "", 0},
                      {"/dev/null", "", 0}};
  for (const Row& row : rows) {
    CAPTURE(row.text);
    Result<Route> route = parse_route(row.text);
    REQUIRE(route.ok());
    CHECK(route->hosts[0].hop.host == row.host);
    CHECK(route->hosts[0].hop.port == row.port);
  }
  REQUIRE(parse_route("a.test:26,lmtp:b.test").ok());
  CHECK(parse_route("a.test:26,lmtp:b.test")->hosts.size() == 2);
  // No options: what may order a route does not choose who gets a password.
  for (const char* bad :
       {"", ":25", "a:0", "a:smtp", "a:1:2", "a b", "2001:db8::1", "a:", "a,", "a,/dev/null", "a 10",
        "a auth=x", "auth=x", "lmtp:", "lmtp:relative/path", "lmtp:/a b", "-x", "b\xc3\xbc.test", "/tmp/x"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_route(bad).ok());
    CHECK_FALSE(is_next_hop(bad));
  }
}

TEST_CASE("recipients of one job go by their own routes") {
  const Scratch scratch;
  const std::string path = scratch.path("smtproutes");
  scratch.write("smtproutes", "x.test:a.in\nboss@x.test:b.in\nsink@x.test:/dev/null\nother@y.test:b.in\n");
  TableFile<RouteTable> file(path);
  const std::vector<Recipient> recipients = {{"one@x.test", "", ""},
                                             {"Boss@X.test", "", ""},
                                             {"two@x.test", "", ""},
                                             {"other@y.test", "", ""},
                                             {"sink@x.test", "", ""}};
  const auto text = [&](std::string_view ordered) {
    Result<std::vector<RouteGroup>> groups = group_by_route(file, ordered, "x.test", recipients);
    if (!groups) return groups.failure().text;
    std::string all;
    for (const RouteGroup& group : *groups) {
      all += group.route.hosts[0].hop.host + ":";
      for (const size_t i : group.recipients) all += std::to_string(i);
      all += " ";
    }
    return all;
  };
  CHECK(text("") == "a.in:02 b.in:13 :4 ");
  CHECK(text("c.in") == "c.in:01234 ");
  scratch.write("smtproutes", "x.test:longer.in\n");
  CHECK(text("") == "longer.in:01234 ");
  scratch.write("smtproutes", "x.test\n");
  CHECK(text("").find("smtproutes:1: ") != std::string::npos);
  REQUIRE(::unlink(path.c_str()) == 0);
  CHECK(text("") == ":01234 ");
}

TEST_CASE("the TLS level of a route: its own, else its destination's, and verify where a password is told") {
  const auto level = [](const char* line, TlsLevel of_destination) {
    Result<RouteTable> table = RouteTable::parse(line, "control/smtproutes");
    REQUIRE(table.ok());
    return tls_level_of(table->find("x.test"), of_destination);
  };
  CHECK(level("x.test:mx.test", TlsLevel::dane) == TlsLevel::dane);
  CHECK(level("x.test:mx.test tls=may", TlsLevel::secure) == TlsLevel::may);
  CHECK(level("x.test:mx.test auth=a", TlsLevel::dane) == TlsLevel::verify);
  CHECK(level("x.test:mx.test auth=a", TlsLevel::may) == TlsLevel::verify);
  CHECK(level("x.test:mx.test auth=a", TlsLevel::secure) == TlsLevel::secure);
  CHECK(level("x.test:mx.test auth=a", TlsLevel::dane_only) == TlsLevel::dane_only);
  CHECK(level("x.test:mx.test auth=a tls=encrypt", TlsLevel::dane) == TlsLevel::encrypt);
  CHECK(level("x.test:mx.test auth=a auth-without-tls=yes", TlsLevel::dane) == TlsLevel::dane);
}
