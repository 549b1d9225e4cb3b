#include "service/init_options.h"

#include <doctest/doctest.h>

#include <string>

using namespace postern;

TEST_CASE("postern-init's command line is read whole") {
  Result<InitOptions> options = parse_init_options({"/srv/x",
                                                    "--me",
                                                    "MX.Example.org",
                                                    "--listen",
                                                    "[::1]:2525",
                                                    "--local",
                                                    "Example.org",
                                                    "--user",
                                                    "alice",
                                                    "--user",
                                                    "bob.smith",
                                                    "--route",
                                                    "far.example:127.0.0.1:26",
                                                    "--route",
                                                    ":smart.example:25",
                                                    "--route",
                                                    ".sub.example:[::1]:25",
                                                    "--route",
                                                    "by-mx.example::26",
                                                    "--resolver",
                                                    "127.0.0.1:53",
                                                    "--clamdb",
                                                    "/var/lib/clamav"});
  REQUIRE(options.ok());
  CHECK(options->directory == "/srv/x");
  CHECK(options->me == "mx.example.org");
  CHECK(options->listen == "[::1]:2525");
  CHECK(options->local == "example.org");
  CHECK(options->users == std::vector<std::string>{"alice", "bob.smith"});
  CHECK(options->routes.size() == 4);
  CHECK(options->resolver == "127.0.0.1:53");
  CHECK(options->clamdb == "/var/lib/clamav");
  options = parse_init_options({"relative/dir"});
  REQUIRE(options.ok());
  CHECK(options->users.empty());
}

TEST_CASE("a wrong value is refused with the form that it should have") {
  const std::vector<std::vector<std::string>> rows = {
      {},
      {""},
      {"--me", "x"},
      {"/x", "--me"},
      {"/x", "--unknown", "y"},
      {"/x", "y", "z"},
      {"/x", "--me", ""},
      {"/x", "--me", "a b"},
      {"/x", "--me", "a\nb"},
      {"/x", "--me", std::string(254, 'a')},
      {"/x", "--listen", "25"},
      {"/x", "--listen", "localhost:25"},
      {"/x", "--listen", "127.0.0.1:0"},
      {"/x", "--listen", "127.0.0.1:65536"},
      {"/x", "--listen", "127.0.0.1;id:25"},
      {"/x", "--local", "exa mple"},
      {"/x", "--user", ""},
      {"/x", "--user", "../root"},
      {"/x", "--user", "a/b"},
      {"/x", "--user", ".hidden"},
      {"/x", "--user", "-x"},
      {"/x", "--user", "a:b"},
      {"/x", "--user", "Alice"},
      {"/x", "--user", "a\nroot"},
      {"/x", "--user", std::string("a\0b", 3)},
      {"/x", "--user", std::string(65, 'a')},
      {"/x", "--route", "far.example"},
      {"/x", "--route", "far.example:26"},
      {"/x", "--route", "# far.example:host:25"},
      {"/x", "--route", "far.example:host:0"},
      {"/x", "--route", "far.example:host:smtp"},
      {"/x", "--route", "far example:host:25"},
      {"/x", "--route", "far.example:a\nb.example:c:25"},
      {"/x", "--route", "far.example:[nonsense]:25"},
      {"/x", "--resolver", "127.0.0.1"},
      {"/x", "--clamdb", "relative"},
  };
  for (const std::vector<std::string>& arguments : rows) {
    std::string all;
    for (const std::string& argument : arguments) all += "[" + argument + "]";
    CAPTURE(all);
    Result<InitOptions> options = parse_init_options(arguments);
    REQUIRE_FALSE(options.ok());
    CHECK(options.failure().permanent());
    CHECK_FALSE(options.failure().text.empty());
  }
}

TEST_CASE("an address with a port is taken apart, IPv6 in brackets") {
  struct Row {
    std::string text, address, port;
  };
  const Row rows[] = {
      {"127.0.0.1:25", "127.0.0.1", "25"},
      {"[::1]:2525", "::1", "2525"},
      {"0.0.0.0:65535", "0.0.0.0", "65535"},
      {"", "", ""},
      {":25", "", ""},
      {"127.0.0.1:", "", ""},
      {"127.0.0.1", "", ""},
      {"[]:25", "", ""},
      {"[::1]", "", ""},
      {"[::1:25", "", ""},
      {"1.2.3:25", "", ""},
      {"127.0.0.1:+5", "", ""},
      {"127.0.0.1 :25", "", ""},
      {"a:25", "", ""},
      {std::string("127.0.0.1\0:25", 13), "", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    Result<AddressPort> parsed = parse_address_port(row.text);
    REQUIRE(parsed.ok() == !row.address.empty());
    if (!parsed) continue;
    CHECK(parsed->address == row.address);
    CHECK(parsed->port == row.port);
  }
}
