#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/callahead_profiles.h"
#include "remote/answer_cache.h"
#include "remote/connection_shares.h"

using namespace postern;

TEST_CASE("profiles of call-ahead have the documented defaults, and DEFAULT changes them") {
  const Result<CallAheadProfiles> profiles = CallAheadProfiles::parse(
      "one servers=mx.a.example:2525,192.0.2.1,[2001:db8::1]:26 mail_from=p@a.example failure=accept\n"
      "two servers=delivery-host interface=192.0.2.9 mail_from=<>\nDEFAULT timeout=5 "
      "temporary_failure=refuse\n",
      "t");
  REQUIRE(profiles.ok());
  const CallAheadProfile* one = profiles->find("ONE");
  REQUIRE(one != nullptr);
  REQUIRE(one->servers.size() == 3);
  CHECK(one->servers[0].host == "mx.a.example");
  CHECK(one->servers[0].port == 2525);
  CHECK(one->servers[2].port == 26);
  CHECK(one->timeout == 5);
  CHECK(one->failure == CallAheadAction::accept);
  CHECK(one->temporary_failure == CallAheadAction::refuse);
  CHECK(one->cache_size == 10000);
  CHECK(one->cache_ttl == 900);
  CHECK(CallAheadProfile().timeout == 30);
  CHECK(profiles->find("two")->servers.empty());
  CHECK(profiles->find("two")->mail_from.empty());
  CHECK(profiles->find("three") == nullptr);
  for (const char* text :
       {"a timeout=0", "a timeout=241", "a servers=lmtp:/x", "a servers=,", "a mail_from=x", "off timeout=5",
        "a failure=maybe", "a interface=host", "a mail_from=a@b>c"}) {
    CAPTURE(text);
    const Result<CallAheadProfiles> wrong = CallAheadProfiles::parse(text, "t");
    CHECK_FALSE(wrong.ok());
  }
}

TEST_CASE("answers are kept for their time, for each profile, and the oldest go first") {
  const Result<CallAheadProfiles> profiles =
      CallAheadProfiles::parse("one cache_size=8\ntwo cache_size=0\nthree\n", "t");
  REQUIRE(profiles.ok());
  AnswerCache cache(*profiles);
  cache.add("one", "a@x", {100, "550 5.1.1 no", ""}, 2000);
  cache.add("two", "a@x", {100, "550 5.1.1 no", ""}, 2000);
  REQUIRE(cache.find("one", "a@x", 1000));
  CHECK(cache.find("one", "a@x", 1000)->exit_code == 100);
  CHECK(cache.find("one", "a@x", 1000)->reply == "550 5.1.1 no");
  CHECK_FALSE(cache.find("one", "a@x", 2000));
  CHECK_FALSE(cache.find("one", "A@x", 1000));
  CHECK_FALSE(cache.find("two", "a@x", 1000));
  CHECK_FALSE(cache.find("three", "a@x", 1000));
  cache.add("one", "a@x", {0, std::string(1000, 'x'), ""}, 3000);
  CHECK(cache.find("one", "a@x", 2500)->exit_code == 0);
  CHECK(cache.find("one", "a@x", 2500)->reply.size() < 300);
  for (int i = 0; i < 8; ++i) cache.add("one", std::to_string(i) + "@x", {0, "", ""}, 4000 + i);
  CHECK_FALSE(cache.find("one", "a@x", 2500));
  CHECK(cache.find("one", "7@x", 2500));
}

TEST_CASE("what one worker remembers another one finds, and shares of the dead are free") {
  const Result<CallAheadProfiles> profiles = CallAheadProfiles::parse("one\n", "t");
  REQUIRE(profiles.ok());
  AnswerCache cache(*profiles);
  ConnectionShares shares(4);
  const pid_t child = ::fork();
  if (child == 0) {
    cache.add("one", "a@x", {100, "550 no", ""}, 2000);
    ::_exit(shares.take("s", 1) && shares.take("s", 1) && shares.take("t", 1) && shares.take("s", 1) ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  CHECK(status == 0);
  CHECK(cache.find("one", "a@x", 1000));
  REQUIRE(shares.take("s", 1));
  const pid_t other = ::fork();
  if (other == 0) ::_exit(shares.take("s", 1) ? 1 : shares.take("s", 2) ? 0 : 2);
  ::waitpid(other, &status, 0);
  CHECK(status == 0);
  CHECK(shares.is_wanted());
  shares.give_back();
  CHECK_FALSE(shares.is_wanted());
  const uint32_t turn = shares.next_turn();
  CHECK(shares.next_turn() == turn + 1);
}
