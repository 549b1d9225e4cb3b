#include "lib/altsrchost.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace postern;

namespace {

Environment with(const std::vector<std::pair<std::string, std::string>>& pairs) {
  Environment environment;
  for (const auto& [name, value] : pairs) environment.set(name, value);
  return environment;
}

}  // namespace

TEST_CASE("the gateway is chosen by what is known of the message, the closest first") {
  const Result<Gateways> table = Gateways::parse(
      "# comment\n"
      "@example.org bulk\n"
      "pool bulk 192.0.2.10,bulk1.example.org,3 192.0.2.11,bulk2.example.org\n"
      "pool people [IPv6:2001:DB8::1] 192.0.2.1,mail.example.org\n"
      "<> 192.0.2.20,bounces.example.org,1\n"
      "tag=KIND:newsletter 192.0.2.31\n"
      "tag=URGENT 192.0.2.32\n"
      "192.0.2.77 192.0.2.40\n"
      "Boss@example.org 192.0.2.41\n"
      "news@ 192.0.2.42\n"
      "@.example.org 192.0.2.43\n"
      "group=Customers 192.0.2.44\n"
      "* people\n",
      "altsrchost");
  REQUIRE_MESSAGE(table.ok(), table.failure().text);
  struct Row {
    std::string sender;
    std::vector<std::pair<std::string, std::string>> environment;
    std::string name;
  };
  const std::vector<Row> rows = {
      {"a@example.org", {}, "bulk"},
      {"prvs=0891a9abd5=a@Example.org", {}, "bulk"},
      {"boss@example.org", {}, "192.0.2.41"},
      {"prvs=0891a9abd5=boss@example.org", {}, "192.0.2.41"},
      {"news@example.org", {}, "192.0.2.42"},
      {"a@b.c.example.org", {}, "192.0.2.43"},
      {"a@other.test", {}, "people"},
      {"noatsign", {}, "people"},
      {"", {}, "192.0.2.20"},
      {"#@[]", {}, "192.0.2.20"},
      {"", {{"TCPREMOTEIP", "192.0.2.77"}}, "192.0.2.20"},
      {"boss@example.org", {{"TCPREMOTEIP", "192.0.2.77"}}, "192.0.2.40"},
      {"a@other.test", {{"POSTERN_SENDERGROUP", "Customers"}}, "192.0.2.44"},
      {"a@example.org", {{"POSTERN_SENDERGROUP", "Customers"}}, "bulk"},
      {"", {{"POSTERN_TAG_KIND", "newsletter"}}, "192.0.2.31"},
      {"a@example.org", {{"POSTERN_TAG_KIND", "other"}, {"POSTERN_TAG_URGENT", ""}}, "192.0.2.32"},
      {"a@example.org", {{"POSTERN_SOURCE", "bulk"}, {"POSTERN_TAG_URGENT", ""}}, "bulk"},
      {"a@example.org", {{"POSTERN_SOURCE", "192.0.2.99"}}, "192.0.2.99"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.sender);
    const Result<Gateway> gateway = table->choose(row.sender, with(row.environment));
    REQUIRE(gateway.ok());
    CHECK(gateway->name == row.name);
  }
  const Result<Gateway> bulk = table->choose("a@example.org", {});
  REQUIRE(bulk->sources.size() == 2);
  CHECK(bulk->sources[0].hello == "bulk1.example.org");
  CHECK(bulk->sources[0].weight == 3);
  CHECK(bulk->sources[1].weight == 1);
  CHECK(table->choose("a@other.test", {})->sources[0].address == "2001:db8::1");
  // An address that a stage chose has the name that the file gives it.
  const Result<Gateway> ordered = table->choose("", with({{"POSTERN_SOURCE", "192.0.2.11"}}));
  REQUIRE(ordered->sources.size() == 1);
  CHECK(ordered->sources[0].hello == "bulk2.example.org");
  const Result<Gateway> unknown = table->choose("", with({{"POSTERN_SOURCE", "gone"}}));
  REQUIRE(!unknown.ok());
  CHECK(!unknown.failure().permanent());
  CHECK(Gateways().choose("a@b.test", {})->sources.empty());
}

TEST_CASE("a broken line of altsrchost stops all mail rather than sending it from elsewhere") {
  for (const std::string line :
       {"@a.test", "@a.test nopool", "@a.test 192.0.2.1,,2", "@a.test 192.0.2.1,name,0",
        "@a.test 192.0.2.1,name,1001", "@a.test 192.0.2.1,na me", "@a.test 192.0.2.1,2,name",
        "a.test 192.0.2.1", "@ 192.0.2.1", "@. 192.0.2.1", "tag=small 192.0.2.1", "tag= 192.0.2.1",
        "group= 192.0.2.1", "pool", "pool x", "pool a.b 192.0.2.1", "pool x 192.0.2.1\npool x 192.0.2.2",
        "* 192.0.2.1\n* 192.0.2.2", "* 192.0.2.1 nopool"}) {
    CAPTURE(line);
    const Result<Gateways> table = Gateways::parse("\n" + line, "f");
    REQUIRE(!table.ok());
    CHECK(!table.failure().permanent());
    CHECK(table.failure().status == "4.3.5");
    CHECK((table.failure().text.starts_with("f:2: ") || table.failure().text.starts_with("f:3: ")));
  }
}

TEST_CASE("only a whole tag is taken off a sender") {
  CHECK(untagged_sender("prvs=0891a9abd5=a@b.test") == "a@b.test");
  for (const char* sender : {"", "a@b.test", "prvs=0891a9abd5@b.test", "prvs=089=a@b.test",
                             "prvs=", "prvs=0891a9abdg=a@b.test", "prvs=0891a9abd51=a@b.test"}) {
    CAPTURE(sender);
    CHECK(untagged_sender(sender) == sender);
  }
}
