#include "service/tables.h"

#include <doctest/doctest.h>

using namespace postern;

TEST_CASE("morercpthosts becomes keys in lower case, as A-labels, each once") {
  const Result<CdbRecords> records =
      parse_table("morercpthosts",
                  "Example.ORG\n# comment\n\n .Below.example \nm\xc3\xbcnchen.example\nexample.org\n", "f");
  REQUIRE(records.ok());
  REQUIRE(records->size() == 3);
  CHECK((*records)[0].first == "example.org");
  CHECK((*records)[1].first == ".below.example");
  CHECK((*records)[2].first == "xn--mnchen-3ya.example");
}

TEST_CASE("senderexceptions becomes addresses and domains, with the line and what becomes of them") {
  const Result<CdbRecords> records = parse_table(
      "senderexceptions",
      "# ours\nA@B.Example accept\n.m\xc3\xbcnchen.example reject 450 later\na@b.example reject\n", "f");
  REQUIRE(records.ok());
  REQUIRE(records->size() == 2);
  CHECK((*records)[0] == std::pair<std::string, std::string>("a@b.example", "2 accept"));
  CHECK((*records)[1] ==
        std::pair<std::string, std::string>(".xn--mnchen-3ya.example", "3 reject 450 later"));
  const Result<CdbRecords> wrong = parse_table("senderexceptions", "b.example\n", "control/f");
  REQUIRE_FALSE(wrong.ok());
  CHECK(wrong.failure().text.starts_with("control/f:1: \"b.example\" has no action"));
}

TEST_CASE("a line that is no domain names itself and the remedy") {
  for (const std::string line : {"a b", "a@b", "a..b", ".", "..a", "-a", "a-", "a:b", "\xff", "http://a/"}) {
    CAPTURE(line);
    const Result<CdbRecords> records =
        parse_table("morercpthosts", "good.example\n" + line + "\n", "control/f");
    REQUIRE_FALSE(records.ok());
    CHECK(records.failure().permanent());
    CHECK(records.failure().text.starts_with("control/f:2: "));
    CHECK(records.failure().text.find("write one a line") != std::string::npos);
  }
  CHECK_FALSE(parse_table("nosuchtable", "", "f").ok());
  CHECK(parse_table("morercpthosts", "", "f")->empty());
}
