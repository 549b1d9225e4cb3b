#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "ldapq/directory.h"
#include "ldapq/shared_state.h"

using namespace postern;

TEST_CASE("what is kept is found under its whole key until its time is up, in another process too") {
  const Result<SharedState> state = SharedState::make(16);
  REQUIRE(state);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    state->keep("key", "value", 100);
    ::_exit(0);
  }
  ::waitpid(child, nullptr, 0);
  CHECK(state->find("key", 99) == "value");
  CHECK_FALSE(state->find("key", 100));
  CHECK_FALSE(state->find("kez", 1));
  CHECK_FALSE(state->find("", 1));
  state->keep("key", std::string("\0n", 2), 200);
  CHECK(state->find("key", 1) == std::string("\0n", 2));
  state->keep("long", std::string(2000, 'x'), 200);
  CHECK_FALSE(state->find("long", 1));
  for (int i = 0; i < 1000; ++i) state->keep("k" + std::to_string(i), std::to_string(i), 1000 + i);
  CHECK(state->find("k999", 1) == "999");
}

TEST_CASE("a cache of no entries keeps nothing") {
  const Result<SharedState> state = SharedState::make(0);
  REQUIRE(state);
  state->keep("key", "value", 100);
  CHECK_FALSE(state->find("key", 1));
}

TEST_CASE("a server that failed is left alone, then asked by one worker, then left alone for longer") {
  using May = SharedState::May;
  const Result<SharedState> state = SharedState::make(0);
  REQUIRE(state);
  CHECK(state->may_try("ldap://a", 1000, 500) == May::yes);
  CHECK(state->went_down("ldap://a", 1000, 10, false));
  CHECK_FALSE(state->went_down("ldap://a", 2000, 10, false));
  CHECK(state->left_alone("ldap://a", 2000) == 9000);
  CHECK(state->may_try("ldap://a", 10999, 500) == May::no);
  CHECK(state->may_try("ldap://a", 11000, 500) == May::probe);
  CHECK(state->may_try("ldap://a", 11000, 500) == May::no);
  CHECK_FALSE(state->went_down("ldap://a", 11400, 10, true));
  CHECK(state->left_alone("ldap://a", 11400) == 20000);
  for (int i = 0; i < 100; ++i) CHECK_FALSE(state->went_down("ldap://a", 0, 10, true));
  CHECK(state->left_alone("ldap://a", 0) == 300000);
  CHECK(state->came_up("ldap://a"));
  CHECK_FALSE(state->came_up("ldap://a"));
  CHECK(state->may_try("ldap://a", 1, 500) == May::yes);
}

TEST_CASE("values of a directory are taken for addresses and hosts only when they are some") {
  CHECK(address_of_value("a@example.org") == "a@example.org");
  CHECK(address_of_value("SMTP:a@example.org") == "a@example.org");
  for (const char* value : {"", "a", "@x", "a@", "smtp:", "X400:c=us;a= ;p=x", "a b@x", "a@x\nb@y", "<a@x>",
                            "a@x,b@y", "sip:a@x", "a\t@x"}) {
    CAPTURE(value);
    CHECK(address_of_value(value).empty());
  }
  CHECK(host_of_value("Mx.Example.ORG.") == "mx.example.org");
  CHECK(host_of_value("store") == "store");
  for (const char* value :
       {"", ".", "192.0.2.1", "10", "::1", "[192.0.2.1]", "a b", "a\tb", "a..b", ".a", "-a", "a:25", "a/b"}) {
    CAPTURE(value);
    CHECK(host_of_value(value).empty());
  }
}
