#include "queue/site_hold.h"

#include <doctest/doctest.h>

using namespace postern;

TEST_CASE("a site that is not held may have what it may") {
  SiteHold hold;
  CHECK(hold.allowed(500, 499, 1000) == 500);
  CHECK_FALSE(hold.stops(1000));
  hold.refused(1000, 3, 0, "come again at once");
  CHECK(hold.allowed(500, 3, 1000) == 500);
  CHECK(hold.why(1000).empty());
}

TEST_CASE("as many jobs go as ran beside the one that was refused, and then bit by bit more") {
  SiteHold hold;
  hold.refused(1000, 16, 1000, "4.4.5 full");
  CHECK(hold.why(1000) == "4.4.5 full");
  CHECK(hold.allowed(500, 15, 1001) == 16);
  CHECK(hold.allowed(500, 16, 1001) == 16);
  CHECK(hold.next(1001) == 2000);
  // No more than it has mail for.
  CHECK(hold.allowed(500, 15, 2000) == 16);
  CHECK(hold.allowed(500, 16, 2000) == 18);
  CHECK(hold.allowed(500, 18, 2001) == 18);
  CHECK(hold.next(2001) == 3000);
  hold.refused(2002, 15, 1000, "4.4.5 full");
  CHECK(hold.allowed(500, 15, 2003) == 15);
  // Until nothing is held back.
  CHECK(hold.allowed(10, 3, 2003) == 10);
  CHECK(hold.why(2003).empty());
}

TEST_CASE("with none beside it nothing goes for a while, and then one") {
  SiteHold hold;
  hold.refused(1000, 0, 1000, "4.4.5 full");
  CHECK(hold.stops(1999));
  CHECK(hold.allowed(500, 0, 1999) == 0);
  CHECK(hold.next(1999) == 2000);
  CHECK(hold.allowed(500, 0, 2000) == 1);
  CHECK(hold.allowed(500, 1, 2000) == 1);
  CHECK(hold.allowed(500, 1, 3000) == 2);
}

TEST_CASE("a limit of recipients holds all back until it has room, at most a minute") {
  SiteHold hold;
  hold.refused(1000, 7, 30000, "4.4.5 full");
  CHECK(hold.allowed(500, 7, 30999) == 0);
  CHECK(hold.allowed(500, 6, 31000) == 7);
  hold.refused(40000, 7, 3600000, "4.4.5 full");
  CHECK(hold.stops(99999));
  CHECK_FALSE(hold.stops(100000));
  hold.refused(200000, 7, 3600000, "4.4.5 full");
  hold.lift();
  CHECK(hold.allowed(500, 7, 200001) == 500);
}

TEST_CASE("one that is refused with none beside it asks less and less often, until something goes") {
  SiteHold hold;
  int64_t now = 1000;
  for (const int64_t wait : {1000, 2000, 4000, 8000, 8000}) {
    CAPTURE(wait);
    hold.refused(now, 0, 1000, "4.4.5 full");
    CHECK(hold.stops(now + wait - 1));
    CHECK_FALSE(hold.stops(now + wait));
    now += wait;
  }
  hold.went();
  hold.refused(now, 0, 1000, "4.4.5 full");
  CHECK_FALSE(hold.stops(now + 1000));
  hold.refused(now, 0, 30000, "4.4.5 full");
  CHECK(hold.stops(now + 29999));
  CHECK_FALSE(hold.stops(now + 30000));
  // One beside it has a place.
  hold.refused(now, 1, 1000, "4.4.5 full");
  hold.refused(now + 40000, 0, 1000, "4.4.5 full");
  CHECK_FALSE(hold.stops(now + 41000));
}

TEST_CASE("a hold ends when nothing came back for a minute, however little mail there is") {
  SiteHold hold;
  hold.refused(1000, 2, 1000, "4.4.5 full");
  CHECK(hold.allowed(500, 1, 61999) == 2);
  CHECK(hold.why(61999) == "4.4.5 full");
  CHECK(hold.why(62000).empty());
  CHECK(hold.allowed(500, 1, 62000) == 500);
}
