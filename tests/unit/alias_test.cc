#include "local/alias.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/scratch.h"

using namespace postern;

TEST_CASE("the alias user is the owner of the directory, and never root; without him mail waits") {
  const Scratch home;
  const auto waits = [](const std::string& directory) {
    Result<std::optional<MailboxUser>> alias = find_alias(directory, "joe");
    return !alias && !alias.failure().permanent() && alias.failure().status == "4.3.5";
  };
  CHECK(waits(home.path("none")));
  CHECK(waits(home.write("file", "")));
  REQUIRE(::symlink("gone", home.path("link").c_str()) == 0);
  CHECK(waits(home.path("link")));
  const uid_t uid = ::getuid() == 0 ? 65534 : ::getuid();
  const gid_t gid = ::getuid() == 0 ? 65534 : ::getgid();
  if (::getuid() == 0) CHECK(waits(home.path()));
  REQUIRE(::chown(home.path().c_str(), uid, gid) == 0);
  Result<std::optional<MailboxUser>> alias = find_alias(home.path(), "Joe.Doe");
  REQUIRE(alias.ok());
  REQUIRE(alias->has_value());
  CHECK((*alias)->uid == uid);
  CHECK((*alias)->home == home.path());
  CHECK((*alias)->dash == "-");
  CHECK((*alias)->ext == "Joe.Doe");
  CHECK((*find_alias(home.path(), "Alias-list"))->ext == "list");
}

TEST_CASE("domains of control/virtualdomains are known by all forms of its lines") {
  const std::vector<std::string> lines = {"a.example:x", "joe@b.example:x", ".c.example:x",
                                          "d.example:", "nonsense"};
  CHECK(virtual_domain_listed("A.example", lines));
  CHECK(virtual_domain_listed("b.example", lines));
  CHECK(virtual_domain_listed("x.c.example", lines));
  for (const std::string_view other : {"c.example", "d.example", "xa.example", "example", "", "nonsense"}) {
    CAPTURE(other);
    CHECK_FALSE(virtual_domain_listed(other, lines));
  }
  CHECK(virtual_domain_listed("anything", {":x"}));
}
