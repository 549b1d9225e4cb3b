#include "remote/sts_cache.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/time.h>

#include <string>

#include "remote/sts_answer.h"
#include "remote/sts_locks.h"
#include "tests/unit/scratch.h"

using namespace postern;

namespace {

constexpr uint64_t kNow = 1100;  // entry_of's policies hold

StsEntry entry_of(const std::string& domain) {
  StsEntry entry{.domain = domain, .fetched = 1000, .tried = 1000};
  entry.policy = {
      .mode = StsPolicy::Mode::testing, .mx = {"*.mx.example", "a.example"}, .id = "x1", .max_age = 500};
  return entry;
}

void make_old(const Scratch& scratch, const std::string& name, time_t seconds) {
  const timeval times[2] = {{seconds, 0}, {seconds, 0}};
  REQUIRE(::utimes(scratch.path(name).c_str(), times) == 0);
}

}  // namespace

TEST_CASE("what is put into the cache is found again") {
  const Scratch scratch;
  const StsCache cache(scratch.path());
  CHECK_FALSE(cache.find("example.org").has_value());
  REQUIRE(cache.put(entry_of("example.org"), kNow).ok());
  const std::optional<StsEntry> found = cache.find("example.org");
  REQUIRE(found.has_value());
  CHECK(found->policy.mx == entry_of("example.org").policy.mx);
  CHECK(found->policy.id == "x1");
  CHECK(found->holds(1499));
  CHECK_FALSE(found->holds(1500));
}

TEST_CASE("a failure alone is kept too, and holds nothing") {
  const Scratch scratch;
  const StsCache cache(scratch.path());
  REQUIRE(
      cache.put({.domain = "example.org", .tried = 7, .result = "sts-webpki-invalid", .why = "a\nb"}, kNow)
          .ok());
  const std::optional<StsEntry> found = cache.find("example.org");
  REQUIRE(found.has_value());
  CHECK(found->result == "sts-webpki-invalid");
  CHECK(found->why == "a\\x0ab");
  CHECK_FALSE(found->holds(0));
}

TEST_CASE("half a file, another's file and no domain are nothing") {
  const Scratch scratch;
  const StsCache cache(scratch.path());
  REQUIRE(cache.put(entry_of("example.org"), kNow).ok());
  const std::string whole = scratch.read("example.org");
  for (size_t length = 0; length < whole.size(); ++length) {
    CAPTURE(length);
    scratch.write("example.org", whole.substr(0, length));
    CHECK_FALSE(cache.find("example.org").has_value());
  }
  scratch.write("other.example", whole);
  CHECK_FALSE(cache.find("other.example").has_value());
  CHECK_FALSE(cache.find("../" + scratch.path() + "/example.org").has_value());
  CHECK_FALSE(cache.put({.domain = "../x.y"}, kNow).ok());
}

TEST_CASE("a full cache loses what nobody has asked for longest") {
  const Scratch scratch;
  const StsCache cache(scratch.path(), 10);
  for (int i = 0; i < 10; ++i) {
    const std::string name = "d" + std::to_string(i) + ".example";
    REQUIRE(cache.put(entry_of(name), kNow).ok());
    make_old(scratch, name, 1000 + (i + 5) % 10);  // d5 is the oldest
  }
  REQUIRE(cache.put(entry_of("d4.example"), kNow).ok());  // is there: pushes nothing out
  CHECK(cache.find("d5.example").has_value());
  REQUIRE(cache.put(entry_of("new.example"), kNow).ok());
  CHECK_FALSE(cache.find("d5.example").has_value());
  CHECK(cache.find("d6.example").has_value());
  CHECK(cache.find("new.example").has_value());
}

TEST_CASE("failures and what has ended make room for policies that hold") {
  const Scratch scratch;
  const StsCache cache(scratch.path(), 20);
  REQUIRE(cache.put(entry_of("used.example"), kNow).ok());
  make_old(scratch, "used.example", 1000);
  StsEntry ended = entry_of("ended.example");
  ended.policy.max_age = 50;
  REQUIRE(cache.put(ended, kNow).ok());
  for (int i = 0; i < 100; ++i) {
    const std::string name = "d" + std::to_string(i) + ".stranger.example";
    REQUIRE(cache.put({.domain = name, .tried = kNow, .result = "sts-policy-fetch-error"}, kNow).ok());
    make_old(scratch, name, 2000 + i);
  }
  CHECK(cache.find("used.example").has_value());
  CHECK(cache.find("d99.stranger.example").has_value());
  CHECK_FALSE(cache.find("d50.stranger.example").has_value());
  for (int i = 0; i < 20; ++i) {
    const std::string name = "held" + std::to_string(i) + ".example" + std::to_string(i);
    REQUIRE(cache.put(entry_of(name), kNow).ok());
  }
  CHECK_FALSE(cache.find("ended.example").has_value());
}

TEST_CASE("the policies of one parent domain push out no others, however fresh they are") {
  const Scratch scratch;
  const StsCache cache(scratch.path(), 20);
  REQUIRE(cache.put(entry_of("used.example"), kNow).ok());
  make_old(scratch, "used.example", 1000);
  for (int i = 0; i < 100; ++i) {
    const std::string name = "d" + std::to_string(i) + ".stranger.example";
    REQUIRE(cache.put(entry_of(name), kNow).ok());
    make_old(scratch, name, 2000 + i);
  }
  CHECK(cache.find("used.example").has_value());
  CHECK(cache.find("d99.stranger.example").has_value());
}

TEST_CASE("what is asked for stays") {
  const Scratch scratch;
  const StsCache cache(scratch.path(), 10);
  for (int i = 0; i < 10; ++i) {
    const std::string name = "x.d" + std::to_string(i);
    REQUIRE(cache.put(entry_of(name), kNow).ok());
    make_old(scratch, name, 1000 + i);
  }
  CHECK(cache.find("x.d0")->used == 1000);
  cache.touch("x.d0");
  CHECK(cache.find("x.d0")->used > 1000);
  REQUIRE(cache.put(entry_of("x.new"), kNow).ok());
  CHECK(cache.find("x.d0").has_value());
  CHECK_FALSE(cache.find("x.d1").has_value());
}

TEST_CASE("one at a time fetches a domain, and no other domain is in its way") {
  const Scratch scratch;
  const StsLocks locks(scratch.path(), 5000);
  const StsTurn first = locks.try_turn("example.org");
  REQUIRE(first);
  CHECK(locks.try_turn("example.org").refusal == StsTurn::Refusal::domain);
  for (int i = 0; i < 300; ++i) {
    CAPTURE(i);
    CHECK(locks.try_turn("d" + std::to_string(i) + ".example"));
  }
}

TEST_CASE("some fetch at a time; whoever ends makes place") {
  const Scratch scratch;
  const StsLocks locks(scratch.path(), 2);
  const StsTurn first = locks.try_turn("a.example");
  {
    const StsTurn second = locks.try_turn("b.example");
    REQUIRE(second);
    CHECK(locks.try_turn("c.example").refusal == StsTurn::Refusal::places);
    CHECK(locks.try_turn("a.example").refusal == StsTurn::Refusal::domain);
  }
  CHECK(locks.try_turn("c.example"));
  CHECK(locks.try_turn("b.example"));
}

TEST_CASE("an answer is read as it was written; half of one is none") {
  StsAnswer answer{.domain = "example.org",
                   .outcome = StsAnswer::Outcome::found,
                   .policy = entry_of("x.y").policy,
                   .left = 12,
                   .result = "sts-policy-fetch-error",
                   .why = "the HTTP status is 500"};
  const std::string text = format_sts_answer(answer);
  const Result<StsAnswer> again = parse_sts_answer(text);
  REQUIRE(again.ok());
  CHECK(format_sts_answer(*again) == text);
  CHECK(again->policy.mx == answer.policy.mx);
  for (size_t length = 0; length < text.size(); ++length)
    CHECK_FALSE(parse_sts_answer(text.substr(0, length)).ok());
  CHECK_FALSE(parse_sts_answer("domain a.b\noutcome found\nend\n").ok());
  CHECK_FALSE(parse_sts_answer("domain a.b\noutcome none\nmode enforce\nmax_age 1\nend\n").ok());
  CHECK(parse_sts_answer("domain a.b\noutcome none\nend\n").ok());
}
