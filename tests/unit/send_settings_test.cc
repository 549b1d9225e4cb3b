#include "queue/send_settings.h"

#include <doctest/doctest.h>

#include <string>

#include "scratch.h"

using namespace postern;

TEST_CASE("without control files send works by its defaults") {
  const ScratchHome home;
  home.write("control/me", "mx.example.org\n");
  Result<SendSettings> settings = read_send_settings();
  REQUIRE(settings.ok());
  CHECK(settings->concurrency_local == 10);
  CHECK(settings->concurrency_remote == 20);
  CHECK(settings->bounces.destinations.of("any.example").max_host_concurrency == 500);
  CHECK(settings->bounces.profiles.standard().initial_retry == 60);
  CHECK(settings->double_bounce_to == "postmaster@mx.example.org");
  CHECK(settings->rewriting.of("a@mx.example.org").local);
  CHECK_FALSE(settings->rewriting.of("a@far.example").local);
}

TEST_CASE("double bounces go to the address that is named, or nowhere") {
  const ScratchHome home;
  home.write("control/me", "mx.example.org\n");
  struct Row {
    std::string to, host, address;
  };
  const Row rows[] = {
      {"dead\n", "", "dead@mx.example.org"},
      {"dead\n", "far.example\n", "dead@far.example"},
      {"dead@other.example\n", "far.example\n", "dead@other.example"},
      {"#\n", "", ""},
      {"\n\nprose\n", "", ""},
      {"", "", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.to);
    home.write("control/doublebounceto", row.to);
    home.write("control/doublebouncehost", row.host);
    Result<SendSettings> settings = read_send_settings();
    REQUIRE(settings.ok());
    CHECK(settings->double_bounce_to == row.address);
  }
}

TEST_CASE("a postmaster is looked for where mail is local") {
  const ScratchHome home;
  home.write("control/me", "mx.example.org\n");
  home.write("control/locals", ".below.example\nHome.example\nother.example\n");
  Result<SendSettings> settings = read_send_settings();
  REQUIRE(settings.ok());
  CHECK(settings->double_bounce_to == "postmaster@home.example");
  home.write("control/locals", "home.example\n.example.org\n");
  settings = read_send_settings();
  REQUIRE(settings.ok());
  CHECK(settings->double_bounce_to == "postmaster@mx.example.org");
  home.write("control/locals", "# none\n");
  settings = read_send_settings();
  REQUIRE(settings.ok());
  CHECK(settings->double_bounce_to == "postmaster@mx.example.org");
}

TEST_CASE("a control file that is wrong is named") {
  for (const std::string name : {"retryfirst", "queuelifetime", "concurrencyremote"}) {
    const ScratchHome home;
    home.write("control/me", "mx.example.org\n");
    home.write("control/" + name, "soon\n");
    Result<SendSettings> settings = read_send_settings();
    REQUIRE_FALSE(settings.ok());
    CHECK(settings.failure().text.find("control/" + name + ":1: \"soon\" is not a number") !=
          std::string::npos);
  }
  const ScratchHome home;
  home.write("control/me", "mx.example.org\n");
  home.write("control/virtualdomains", "# ours\nshop.example\n");
  CHECK_FALSE(read_send_settings().ok());
}
