#include "remote/source.h"

#include <doctest/doctest.h>

#include <map>
#include <string>

#include "lib/child.h"

using namespace postern;

namespace {

Target target(const std::string& address, bool lmtp = false) {
  return {.host = "mx.test", .address = address, .port = 25, .lmtp = lmtp, .source = {}, .hello = {}};
}

}  // namespace

TEST_CASE("a connection comes from an address of the target's family") {
  const Gateway v4{"people", {{"127.0.0.5", "five.test", 1}}};
  CHECK(can_reach(v4, target("192.0.2.1")));
  CHECK_FALSE(can_reach(v4, target("2001:db8::1")));
  CHECK(can_reach(v4, target("2001:db8::1", true)));
  CHECK(can_reach(v4, target("/run/lmtp", true)));
  CHECK(can_reach({}, target("2001:db8::1")));
  SetAside aside;
  Result<Target> bound = with_source(v4, target("192.0.2.1"), aside);
  REQUIRE(bound.ok());
  CHECK(bound->source == "127.0.0.5");
  CHECK(bound->hello == "five.test");
  CHECK(with_source(v4, target("/run/lmtp", true), aside)->source.empty());
  CHECK_FALSE(with_source(v4, target("2001:db8::1"), aside).ok());
  const Gateway any{"any", {{"0.0.0.0", "any.test", 1}}};
  bound = with_source(any, target("192.0.2.1"), aside);
  REQUIRE(bound.ok());
  CHECK(bound->source.empty());
  CHECK(bound->hello == "any.test");
}

TEST_CASE("addresses of a pool get shares by their weights") {
  const Gateway pool{"pool", {{"127.0.0.5", "", 9}, {"127.0.0.6", "", 1}}};
  SetAside aside;
  std::map<std::string, int> drawn;
  for (int i = 0; i < 2000; ++i) ++drawn[with_source(pool, target("192.0.2.1"), aside)->source];
  CHECK(drawn["127.0.0.5"] > 1600);
  CHECK(drawn["127.0.0.6"] > 80);
}

TEST_CASE("an address that this host has not is set aside, and one that may be back is tried") {
  // TEST-NET-1 is nobody's.
  const Gateway pool{"pool", {{"192.0.2.99", "", 1000}, {"127.0.0.6", "", 1}}};
  SetAside aside;
  CHECK(with_source(pool, target("192.0.2.1"), aside)->source == "127.0.0.6");
  const int64_t now = now_milliseconds() / 1000;
  CHECK(aside.holds("from 192.0.2.99", now));
  CHECK(with_source(pool, target("192.0.2.1"), aside)->source == "127.0.0.6");
  const Gateway gone{"gone", {{"192.0.2.99", "", 1}}};
  const Result<Target> none = with_source(gone, target("192.0.2.1"), aside);
  REQUIRE(!none.ok());
  CHECK(!none.failure().permanent());
  aside.add("from 127.0.0.6", now);
  CHECK(with_source(pool, target("192.0.2.1"), aside)->source == "127.0.0.6");
  CHECK_FALSE(aside.holds("from 127.0.0.6", now));
}
