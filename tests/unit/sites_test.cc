#include "queue/sites.h"

#include <doctest/doctest.h>

#include <string>

#include "scratch.h"

using namespace postern;

namespace {

// A queue's directory and its sites, with eight places.
struct Setting {
  Scratch directory;
  Sites sites{directory.path()};
  Setting() { sites.configure({}, 8, {}); }

  bool admit(const std::string& site) {
    if (sites.look(site, 1, false, false).admission != Sites::Admission::go) return false;
    sites.admit(site, 1);
    return true;
  }
  void start(const std::string& site) {
    REQUIRE(sites.may_start(site));
    REQUIRE(sites.prepare(site, 1).ok());
    sites.started(site);
  }
  void answer(const std::string& site) {
    (void)sites.ended(site, 1, {{Outcome::delivered, "mx[192.0.2.1]:25 said: 250 2.0.0 ok"}});
  }
};

}  // namespace

TEST_CASE("a site that answers goes on while all untried ones wait for hosts that say nothing") {
  Setting setting;
  Sites& sites = setting.sites;
  REQUIRE(setting.admit("first.example"));
  setting.start("first.example");
  setting.answer("first.example");  // from now on places are kept for such
  REQUIRE(setting.admit("live.example"));
  setting.start("live.example");
  // Silent hosts take all that untried sites may have; more of them wait, and live.example's next behind
  // them.
  size_t silent = 0;
  for (; setting.admit("silent" + std::to_string(silent) + ".example"); ++silent) {
    const std::string site = "silent" + std::to_string(silent) + ".example";
    if (sites.may_start(site)) setting.start(site);
  }
  for (uint64_t mid = 1; mid <= 5; ++mid)
    CHECK(sites.park("waiting" + std::to_string(mid) + ".example", mid));
  CHECK(sites.park("live.example", 6));
  CHECK_FALSE(sites.take_parked());
  setting.answer("live.example");
  CHECK(sites.take_parked() == 6);
  CHECK(sites.take_parked() == 1);  // its place among the untried is free
}

TEST_CASE("while others wait to be tried at all, a site that has yet to answer has one job") {
  Setting setting;
  REQUIRE(setting.admit("one.example"));
  setting.start("one.example");
  CHECK(setting.admit("one.example"));  // nobody else is there: it may have two
  CHECK(setting.sites.may_start("one.example"));
  CHECK(setting.sites.park("two.example", 1));
  CHECK_FALSE(setting.sites.may_start("one.example"));
  CHECK_FALSE(setting.admit("one.example"));
  CHECK(setting.sites.take_parked() == 1);
  CHECK(setting.sites.may_start("one.example"));
}

TEST_CASE("a message stands in one line") {
  Setting setting;
  CHECK(setting.sites.park("one.example", 7));
  CHECK_FALSE(setting.sites.park("one.example", 7));
  CHECK_FALSE(setting.sites.park("two.example", 7));
  CHECK(setting.sites.take_parked() == 7);
  CHECK_FALSE(setting.sites.take_parked());
  CHECK(setting.sites.park("two.example", 7));
}

TEST_CASE("what is taken out of the line may go") {
  Setting setting;
  REQUIRE(setting.admit("one.example"));
  setting.start("one.example");
  for (uint64_t mid = 1; mid <= 3; ++mid) CHECK(setting.sites.park("one.example", mid));
  REQUIRE(setting.sites.take_parked() == 1);
  CHECK(setting.sites.look("one.example", 1, true, false).admission == Sites::Admission::go);
}

TEST_CASE("what remote counts send does not, and what comes back from there is no failure") {
  Setting setting;
  Result<Destinations> table = Destinations::parse(
      "one.example limit_type=mxip max_host_concurrency=1 recipient_limit=1\n"
      "two.example limit_apply=vg recipient_limit=1\n",
      "destinations");
  REQUIRE(table.ok());
  setting.sites.configure(std::move(*table), 8, {});
  for (int i = 0; i < 3; ++i) {
    REQUIRE(setting.admit("one.example"));
    setting.start("one.example");
    setting.answer("one.example");
  }
  REQUIRE(setting.admit("one.example"));
  setting.start("one.example");
  REQUIRE(setting.admit("one.example"));
  setting.start("one.example");
  const std::vector<RecipientReport> held = {{Outcome::held_back, "1000 4.4.5 full"}};
  // One runs beside it: so many may.
  CHECK(setting.sites.ended("one.example", 1, held) == Sites::Next::more);
  REQUIRE(setting.admit("one.example"));
  CHECK_FALSE(setting.sites.may_start("one.example"));
  // None does: all wait.
  CHECK(setting.sites.ended("one.example", 1, held) == Sites::Next::held);
  setting.sites.given_back("one.example", 1);
  CHECK_FALSE(setting.admit("one.example"));
  CHECK(setting.sites.look("one.example", 1, false, false).admission == Sites::Admission::wait);
  setting.sites.reset();
  CHECK(setting.sites.count_from() > 0);
  // Of a job that found one address full and no other, what it found is why the site is away.
  REQUIRE(setting.admit("three.example"));
  setting.start("three.example");
  CHECK(setting.sites.ended("three.example", 1, {held[0], {Outcome::temporary, "4.4.1 gone"}}) ==
        Sites::Next::away);
  CHECK(setting.sites.look("three.example", 1, false, false).error == "4.4.1 gone");
  CHECK(setting.admit("one.example"));
  // A gateway's limits are its own.
  REQUIRE(setting.admit("two.example by bulk"));
  CHECK_FALSE(setting.admit("two.example by bulk"));
  CHECK(setting.admit("two.example by 192.0.2.1"));
  CHECK(setting.admit("two.example"));
}
