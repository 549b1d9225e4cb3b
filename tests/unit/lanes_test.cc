#include "queue/lanes.h"

#include <doctest/doctest.h>

using namespace postern;

namespace {

constexpr int64_t kMinute = 60000;

// Starts as many as may; how many.
size_t start_all(Lanes& lanes, Lane lane, int64_t now) {
  size_t started = 0;
  for (; started < lanes.places() && lanes.may_start(lane, now); ++started) {
    lanes.admitted(lane, now);
    lanes.started(lane, now);
  }
  return started;
}

}  // namespace

TEST_CASE("without quick sites all places are anybody's, but for probes") {
  for (const Lane lane : {Lane::untried, Lane::slow, Lane::quick}) {
    Lanes lanes;
    lanes.configure(100);
    CHECK(start_all(lanes, lane, 0) == 100);
  }
  Lanes lanes;
  lanes.configure(100);
  CHECK(start_all(lanes, Lane::probing, 0) == 12);
}

TEST_CASE("while there are quick sites all others have three quarters of the places") {
  Lanes lanes;
  lanes.configure(100);
  lanes.answered_quickly(0);
  lanes.admitted(Lane::quick, 1);
  CHECK(start_all(lanes, Lane::slow, 1) == 25);
  CHECK(start_all(lanes, Lane::probing, 1) == 12);
  CHECK(start_all(lanes, Lane::untried, 1) == 38);
  CHECK(start_all(lanes, Lane::quick, 1) == 100);
  Lanes none;  // nothing to do for the quick ones now
  none.configure(100);
  none.answered_quickly(0);
  CHECK(start_all(none, Lane::slow, 1) == 50);
  Lanes later;
  later.configure(100);
  later.answered_quickly(0);
  CHECK(start_all(later, Lane::slow, kMinute) == 100);
}

TEST_CASE("while quick sites wait for places all others have half, slow ones and probes a tenth each") {
  Lanes lanes;
  lanes.configure(100);
  lanes.answered_quickly(0);
  for (size_t i = 0; i < 100; ++i) {
    lanes.admitted(Lane::quick, 1);
    lanes.started(Lane::quick, 1);
  }
  CHECK(lanes.may_start(Lane::slow, 1));
  lanes.admitted(Lane::quick, 1);
  CHECK(start_all(lanes, Lane::slow, 1) == 10);
  CHECK(start_all(lanes, Lane::probing, 1) == 10);
  CHECK(start_all(lanes, Lane::untried, 1) == 30);
  // Nobody has waited for three seconds.
  lanes.given_back(Lane::quick);
  CHECK_FALSE(lanes.may_start(Lane::slow, 3000));
  CHECK(lanes.may_start(Lane::slow, 3001));
}

TEST_CASE("a site takes its jobs with it into another lane") {
  Lanes lanes;
  lanes.configure(8);
  lanes.answered_quickly(0);
  lanes.admitted(Lane::quick, 1);
  CHECK(start_all(lanes, Lane::slow, 1) == 2);
  CHECK_FALSE(lanes.may_start(Lane::slow, 1));
  lanes.moved(Lane::slow, Lane::quick, 0, 2);
  CHECK(lanes.may_start(Lane::slow, 1));
  lanes.ended(Lane::quick);
  lanes.ended(Lane::quick);
  CHECK(start_all(lanes, Lane::slow, 1) == 2);
}

TEST_CASE("with few places each lane still has one") {
  Lanes lanes;
  lanes.configure(1);
  lanes.answered_quickly(0);
  for (const Lane lane : {Lane::slow, Lane::probing, Lane::untried}) CHECK(start_all(lanes, lane, 1) == 1);
}

TEST_CASE("what is in line is a little more than what may begin, and all of it can be open") {
  for (const size_t places : {1UL, 20UL, 500UL}) {
    Lanes lanes;
    lanes.configure(places);
    size_t jobs = 0;
    for (const Lane lane : {Lane::quick, Lane::untried, Lane::slow, Lane::probing}) {
      lanes.answered_quickly(0);
      for (; lanes.may_grow(lane, 1); ++jobs) lanes.admitted(lane, 1);
    }
    CHECK(jobs > places);
    CHECK(jobs <= Lanes::most_jobs(places));
  }
}
