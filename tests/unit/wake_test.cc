#include "queue/wake.h"

#include <doctest/doctest.h>
#include <fcntl.h>

#include "scratch.h"

using namespace postern;

TEST_CASE("a word that must arrive waits while the FIFO is full, and says when it stays so") {
  const Scratch scratch;
  WakeWriter nobody(scratch.path());
  CHECK(nobody.wake_surely(1, 100));  // no FIFO: who makes it looks through the spool
  Result<WakeReader> reader = WakeReader::open(scratch.path());
  REQUIRE(reader.ok());
  WakeWriter writer(scratch.path());
  size_t written = 0;
  while (writer.wake_surely(++written, 0)) REQUIRE(written < 100000);
  CHECK(written > 1000);
  CHECK_FALSE(writer.wake_surely(5, 100));
  const WakeReader::Woken woken = reader->read();
  CHECK(woken.look_through);
  REQUIRE_FALSE(woken.mids.empty());
  CHECK(woken.mids.front() == 1);
  CHECK(writer.wake_surely(4711, 1000));
  for (;;) {
    const WakeReader::Woken more = reader->read();
    REQUIRE_FALSE(more.mids.empty());
    if (more.mids.back() == 4711) break;
  }
}
