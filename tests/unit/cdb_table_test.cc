#include "lib/cdb_table.h"

#include "scratch.h"

using namespace postern;

TEST_CASE("a table is written whole and read by key") {
  const Scratch scratch;
  const std::string path = scratch.path("t.cdb");
  Result<std::optional<CdbTable>> none = CdbTable::open(path, "maker");
  REQUIRE(none.ok());
  CHECK_FALSE(none->has_value());
  REQUIRE(write_cdb(path, {{"a", "1"}, {"b", ""}, {std::string("c\0d", 3), "x"}}).ok());
  Result<std::optional<CdbTable>> table = CdbTable::open(path, "maker");
  REQUIRE(table.ok());
  REQUIRE(table->has_value());
  CHECK((*table)->find("a")->value() == "1");
  CHECK((*table)->find("b")->value().empty());
  CHECK((*table)->find(std::string_view("c\0d", 3))->value() == "x");
  CHECK_FALSE((*table)->find("c")->has_value());
  CHECK_FALSE((*table)->find("")->has_value());
  CHECK(scratch.read("t.cdb.tmp") == "(no such file)");
}

TEST_CASE("what is no table, or a cut one, is a temporary failure") {
  const Scratch scratch;
  Result<std::optional<CdbTable>> text = CdbTable::open(scratch.write("text.cdb", "not a table\n"), "maker");
  REQUIRE_FALSE(text.ok());
  CHECK_FALSE(text.failure().permanent());
  CHECK(text.failure().text.ends_with("make it anew with maker"));
  const std::string path = scratch.path("t.cdb");
  REQUIRE(write_cdb(path, {{"a", "1"}}).ok());
  // The hash table of "a" lies behind the end now.
  const std::string whole = scratch.read("t.cdb");
  Result<std::optional<CdbTable>> cut =
      CdbTable::open(scratch.write("cut.cdb", whole.substr(0, 2049)), "maker");
  REQUIRE(cut.ok());
  CHECK_FALSE((*cut)->find("a").ok());
}

TEST_CASE("a table that cannot be written leaves the old one") {
  const Scratch scratch;
  CHECK_FALSE(write_cdb(scratch.path("none/t.cdb"), {}).ok());
  REQUIRE(write_cdb(scratch.path("t.cdb"), {{"a", "1"}}).ok());
  REQUIRE(::mkdir(scratch.path("t.cdb.tmp").c_str(), 0755) == 0);
  CHECK_FALSE(write_cdb(scratch.path("t.cdb"), {{"a", "2"}}).ok());
  CHECK((*CdbTable::open(scratch.path("t.cdb"), "maker"))->find("a")->value() == "1");
}

TEST_CASE("a table that others may write is believed only where anybody's is") {
  const Scratch scratch;
  const std::string path = scratch.path("t.cdb");
  REQUIRE(write_cdb(path, {{"a", "1"}}).ok());
  CHECK(CdbTable::open(path, "maker", CdbOwner::root_or_us).ok());
  REQUIRE(::chmod(path.c_str(), 0664) == 0);
  CHECK_FALSE(CdbTable::open(path, "maker", CdbOwner::root_or_us).ok());
  CHECK(CdbTable::open(path, "maker").ok());
}
