#include "local/virtual_users.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <string>

#include "tests/unit/scratch.h"

using namespace postern;

namespace {

std::string fault(std::string_view text) {
  Result<VirtualTable> table = parse_virtual_table(text, "t");
  return table ? "" : table.failure().text;
}

}  // namespace

TEST_CASE("a virtual user is found by address, name, domain's catch-all and catch-all") {
  const Scratch home;
  Result<VirtualTable> table = parse_virtual_table(
      "# users\n\nAnn ./ann/ quota=1K,5C\nann@other.example &x@y &z@y\n*@third.example delete\n* bounce\n",
      "t");
  REQUIRE(table.ok());
  const std::string path = home.path("t.cdb");
  REQUIRE(write_cdb(path, table->records).ok());
  const auto find = [&](std::string_view name, std::string_view domain) {
    Result<std::optional<VirtualUser>> user = find_virtual_user(path, name, domain);
    REQUIRE(user.ok());
    REQUIRE(user->has_value());
    return **user;
  };
  CHECK(find("ANN", "example.org").maildir == "./ann/");
  CHECK(find("ann", "example.org").quota == Quota{1024, 5});
  CHECK(find("ann", "Other.Example").forwards == std::vector<std::string>{"x@y", "z@y"});
  CHECK(find("bob", "third.example").deletes);
  CHECK(find("bob", "example.org").bounces);
  CHECK(find("", "example.org").bounces);
}

TEST_CASE("a wrong line of a virtual domain's table is named, with what to write") {
  CHECK(fault("a ./a/\nb\n").starts_with("t:2: it says nothing"));
  CHECK(fault("a ./a/../../b/").find("neither") != std::string::npos);
  CHECK(fault("a ../b/").find("neither") != std::string::npos);
  CHECK(fault("a &x").find("no address") != std::string::npos);
  CHECK(fault("a ./a/ quota=1X").find("no quota") != std::string::npos);
  CHECK(fault("a ./a/ delete").find("alone") != std::string::npos);
  CHECK(fault(std::string_view("a ./\0/", 7)).find("NUL") != std::string::npos);
  CHECK(fault("") == "");
}

TEST_CASE("a table that is missing, damaged or open to others is a temporary failure") {
  const Scratch home;
  const std::string path = home.path("t.cdb");
  const auto later = [&] {
    Result<std::optional<VirtualUser>> user = find_virtual_user(path, "a", "b");
    return !user && !user.failure().permanent() && user.failure().status == "4.3.5";
  };
  CHECK(later());
  home.write("t.cdb", std::string(2048, '\0'));
  CHECK(later());
  REQUIRE(write_cdb(path, {{"a", "m./a/"}, {"", "postern-mailboxes 1"}}).ok());
  CHECK(later());
  REQUIRE(write_cdb(path, {{"a", std::string("d\0", 2)}}).ok());
  CHECK(later());
  REQUIRE(write_cdb(path, {{"a", std::string("d\0", 2)}, {"", "postern-mailboxes 1"}}).ok());
  CHECK_FALSE(later());
  REQUIRE(::chmod(path.c_str(), 0666) == 0);
  CHECK(later());
}
