#include "queue/intake.h"

#include <doctest/doctest.h>

#include "lib/text.h"
#include "scratch.h"

using namespace postern;

TEST_CASE("a new message is due behind those that have been due for longer") {
  const Scratch scratch;
  const Spool spool{scratch.path("queue")};
  REQUIRE(spool.make_directories().ok());
  Result<WakeReader> wake = WakeReader::open(spool.directory());
  REQUIRE(wake.ok());
  Schedule schedule;
  Intake intake(spool, schedule, std::move(*wake));
  scratch.write(spool.path("new", 7).substr(scratch.path().size() + 1), "");
  const uint64_t now = now_microseconds() / 1000000;
  intake.keep_up(true);
  schedule.add(8, now - 10);  // a retry
  CHECK(schedule.take_due(now + 10) == std::optional<uint64_t>(8));
  CHECK(schedule.take_due(now + 10) == std::optional<uint64_t>(7));
}
