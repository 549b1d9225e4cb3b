#include "local/mailbox_exists.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "local/assign.h"
#include "local/virtual_users.h"
#include "tests/unit/scratch.h"

using namespace postern;

TEST_CASE("what a .qmail line of postern-vdeliver alone asks is known, and nothing else") {
  const auto asks = [](std::string_view command) {
    const std::optional<VirtualLookup> lookup = virtual_lookup(command, "ann");
    return lookup ? lookup->user + " " + lookup->table : "-";
  };
  CHECK(asks("postern-vdeliver") == "ann mailboxes");
  CHECK(asks("exec /usr/local/bin/postern-vdeliver --full defer users/table") == "ann users/table");
  CHECK(asks("postern-vdeliver --user bob") == "bob mailboxes");
  for (const char* command : {"", "true", "true && postern-vdeliver", "postern-vdeliver $X",
                              "PATH=/x postern-vdeliver", "postern-vdeliver --user", "postern-vdeliver a b",
                              "postern-vdeliver --other x", "not-postern-vdeliver", "env postern-vdeliver"}) {
    CAPTURE(command);
    CHECK(asks(command) == "-");
  }
  CHECK_FALSE(virtual_lookup("postern-vdeliver", ""));
}

TEST_CASE("a mailbox is there, is not, or cannot be known") {
  const Scratch home;
  for (const char* name : {"users", "alias", "ann", "shop"})
    REQUIRE(::mkdir(home.path(name).c_str(), 0755) == 0);
  if (::getuid() == 0) REQUIRE(::chown(home.path("alias").c_str(), 65534, 65534) == 0);
  const std::string assign = "=ann:ann:7:7:" + home.path("ann") + ":::\n+ann-:ann:7:7:" + home.path("ann") +
                             ":-::\n+shop-:shop:7:7:" + home.path("shop") +
                             ":-::\n=gone:gone:7:7:" + home.path("gone") +
                             "::x:\n+away-:away:7:7:" + home.path("away") + ":-::\n.\n";
  Result<AssignTable> table = parse_assign(assign, "assign");
  REQUIRE(table.ok());
  REQUIRE(write_cdb(home.path("users/cdb"), table->records).ok());
  home.write("alias/.qmail-postmaster", "&ann@example.org\n");
  home.write("ann/.qmail-list", "");
  home.write("shop/.qmail-default", "|postern-vdeliver\n");
  Result<VirtualTable> users = parse_virtual_table("bob ./bob/\nold bounce\n", "t");
  REQUIRE(users.ok());
  REQUIRE(write_cdb(home.path("shop/mailboxes.cdb"), users->records).ok());
  Result<Rewriting> rewriting = Rewriting::make("mx.example.org", {"example.org"}, {"shop.example:shop"});
  REQUIRE(rewriting.ok());
  const MailboxPlaces places{.rewriting = std::move(*rewriting),
                             .users_cdb = home.path("users/cdb"),
                             .alias_home = home.path("alias")};
  struct Case {
    const char* address;
    Existence existence;
  };
  const Case cases[] = {
      {"ann@example.org", Existence::yes},          {"Ann@Example.org", Existence::yes},
      {"ann-list@example.org", Existence::yes},     {"ann-other@example.org", Existence::no},
      {"bob@example.org", Existence::no},           {"postmaster@example.org", Existence::yes},
      {"bob@shop.example", Existence::yes},         {"old@shop.example", Existence::no},
      {"eve@shop.example", Existence::no},          {"gone@example.org", Existence::yes},
      {"away-x@example.org", Existence::not_known}, {"a@elsewhere.example", Existence::not_known},
      {"\"ann\"@example.org", Existence::yes}};
  char before[4096];
  REQUIRE(::getcwd(before, sizeof before) != nullptr);
  for (const Case& c : cases) {
    const std::string address = c.address;
    CAPTURE(address);
    CHECK(mailbox_exists(places, address).existence == c.existence);
  }
  // A domain's own table may be anybody's here, but a damaged one says nothing.
  home.write("shop/mailboxes.cdb", "x");
  CHECK(mailbox_exists(places, "eve@shop.example").existence == Existence::not_known);
  REQUIRE(::chdir(before) == 0);
}
