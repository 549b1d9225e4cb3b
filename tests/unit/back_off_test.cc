#include "queue/back_off.h"

#include <doctest/doctest.h>

using namespace postern;

namespace {

constexpr BackOffWaits kWaits{.first = 1000, .longest = 5000};
constexpr int64_t kUsual = 10;
constexpr size_t kMost = 20;

std::vector<RecipientReport> reports(Outcome outcome, const char* text) {
  return {{outcome, text}};
}

BackOff proven() {
  BackOff site;
  site.answered(5, kUsual, kMost);
  return site;
}

}  // namespace

TEST_CASE("what reports say of the site") {
  struct Row {
    Outcome outcome;
    const char* text;
    SiteAnswer answer;
    bool never;
  };
  for (const Row& row : {
           Row{Outcome::delivered, "mx[192.0.2.1]:25 said: 250 2.0.0 ok", SiteAnswer::answered, false},
           Row{Outcome::permanent, "mx[192.0.2.1]:25 said: 550 5.1.1 no", SiteAnswer::answered, false},
           Row{Outcome::temporary, "mx[192.0.2.1]:25 said: 451 4.4.1 x", SiteAnswer::answered, false},
           Row{Outcome::temporary, "mx[192.0.2.1]:25 said: 421 4.7.0 busy", SiteAnswer::failed, false},
           Row{Outcome::temporary, "4.4.1 connect to mx: refused", SiteAnswer::failed, true},
           Row{Outcome::temporary, "4.4.2 read: timed out", SiteAnswer::failed, false},
           Row{Outcome::temporary, "4.4.3 look up x", SiteAnswer::failed, true},
           Row{Outcome::temporary, "4.3.0 no worker", SiteAnswer::unknown, false},
           Row{Outcome::temporary, "4.7.5 no TLS", SiteAnswer::answered, false},
           Row{Outcome::permanent, "5.4.4 no address", SiteAnswer::answered, false},
       }) {
    const std::string text = row.text;
    CAPTURE(text);
    CHECK(site_answer(reports(row.outcome, row.text)) == row.answer);
    CHECK(never_reached(reports(row.outcome, row.text)) == row.never);
  }
  CHECK(site_answer({}) == SiteAnswer::unknown);
  // What was held back was not tried, and says nothing of the site.
  CHECK(site_answer({{Outcome::held_back, "1000 4.4.5 full"}}) == SiteAnswer::unknown);
  CHECK(site_answer({{Outcome::delivered, "ok"}, {Outcome::held_back, "0 x"}}) == SiteAnswer::answered);
  CHECK(site_answer({{Outcome::temporary, "4.4.1 x"}, {Outcome::held_back, "0 x"}}) == SiteAnswer::failed);
  // One recipient that was taken shows that somebody was there.
  CHECK(site_answer({{Outcome::delivered, "ok"}, {Outcome::temporary, "4.4.2 lost"}}) ==
        SiteAnswer::answered);
  CHECK_FALSE(never_reached({{Outcome::temporary, "4.4.1 x"}, {Outcome::temporary, "4.4.2 x"}}));
  // remote may know already that a limit is one of addresses, and send not yet.
  CHECK(never_reached({{Outcome::held_back, "1000 4.4.5 full"}, {Outcome::temporary, "4.4.1 x"}}));
}

TEST_CASE("a site that never answered gets two connections, and is away after one failure") {
  BackOff site;
  CHECK(site.state(0) == SiteState::up);
  CHECK(site.connections(kMost, 0) == 2);
  CHECK(site.connections(1, 0) == 1);
  CHECK_FALSE(site.proven());
  CHECK(site.failed(100, 1, 1, "4.4.1 refused", kWaits));
  CHECK(site.state(1099) == SiteState::away);
  CHECK(site.connections(kMost, 1099) == 0);
  CHECK(site.error() == "4.4.1 refused");
  // The other connection fails too: nothing new.
  CHECK_FALSE(site.failed(120, 1, 0, "4.4.1 refused", kWaits));
  CHECK(site.next_attempt() == 1100);
}

TEST_CASE("a site that is away is probed, one at a time, at longer and longer waits up to a longest") {
  BackOff site;
  int64_t now = 0;
  for (const int64_t wait : {1000, 2000, 4000, 5000, 5000, 5000}) {
    CHECK(site.failed(now, 1, 0, "4.4.2 x", kWaits));
    CHECK(site.next_attempt() == now + wait);
    CHECK(site.state(now + wait - 1) == SiteState::away);
    now += wait;
    CHECK(site.state(now) == SiteState::probing);
    CHECK(site.connections(kMost, now) == 1);
  }
  for (int i = 0; i < 1000; ++i) {
    CHECK(site.failed(now, 1, 0, "4.4.2 x", kWaits));
    now = site.next_attempt();
  }
  CHECK(site.state(now - 1) == SiteState::away);
}

TEST_CASE("an answer brings full speed at once, and the next failure begins with the first wait") {
  BackOff site;
  CHECK(site.failed(0, 1, 0, "x", kWaits));
  CHECK(site.failed(1000, 1, 0, "x", kWaits));
  site.answered(5, kUsual, kMost);
  CHECK(site.state(1001) == SiteState::up);
  CHECK(site.connections(kMost, 1001) == kMost);
  CHECK(site.failed(2000, 1, 0, "x", kWaits));
  CHECK(site.next_attempt() == 3000);
}

TEST_CASE("a busy site that fails gets half as many, and one more with each answer") {
  BackOff site = proven();
  CHECK_FALSE(site.failed(0, 1, 15, "said: 421 too many", kWaits));
  CHECK(site.state(0) == SiteState::slow);
  CHECK(site.connections(kMost, 0) == 8);
  CHECK_FALSE(site.proven());
  CHECK_FALSE(site.failed(0, 1, 14, "x", kWaits));
  CHECK(site.connections(kMost, 0) == 4);
  for (size_t more = 5; more < kMost; ++more) {
    site.answered(5, kUsual, kMost);
    CHECK(site.connections(kMost, 0) == more);
  }
  site.answered(5, kUsual, kMost);
  CHECK(site.state(0) == SiteState::up);
  CHECK(site.proven());
  // Nothing but failures: away in the end.
  for (int i = 0; i < 4; ++i) CHECK_FALSE(site.failed(0, 1, 19, "x", kWaits));
  CHECK(site.failed(0, 1, 15, "x", kWaits));
  CHECK(site.state(0) == SiteState::away);
}

TEST_CASE(
    "a site that takes three times as long as the quick ones is slow, and gets its connections all the "
    "same") {
  BackOff site = proven();
  for (int i = 0; i < 20; ++i) site.answered(1500, 100, kMost);
  CHECK(site.state(0) == SiteState::slow);
  CHECK(site.connections(kMost, 0) == kMost);
  for (int i = 0; i < 20; ++i) site.answered(290, 100, kMost);
  CHECK(site.state(0) == SiteState::up);
  // However fast the others are.
  for (int i = 0; i < 20; ++i) site.answered(190, 1, kMost);
  CHECK(site.state(0) == SiteState::up);
}

TEST_CASE("one slow job makes no site slow, nor one that has proven itself") {
  for (const int64_t second : {5, 1500}) {
    BackOff site;
    site.answered(1500, 100, kMost);
    CHECK(site.state(0) == SiteState::up);
    CHECK_FALSE(site.proven());
    site.answered(second, 100, kMost);
    CHECK(site.state(0) == (second == 5 ? SiteState::up : SiteState::slow));
    CHECK(site.proven());
  }
}

TEST_CASE("an order to try at once ends the wait, unless it failed since") {
  BackOff site;
  CHECK(site.failed(0, 50, 0, "x", kWaits));
  site.lift(10, 49);
  CHECK(site.state(10) == SiteState::away);
  site.lift(10, 50);
  CHECK(site.state(10) == SiteState::probing);
}
