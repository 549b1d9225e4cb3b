#include "queue/room.h"

#include <doctest/doctest.h>

using namespace postern;

TEST_CASE("what is open at once fits into the descriptors that there are") {
  const Room usual = room_for(4096, 10, 20);
  CHECK(usual.local == 10);
  CHECK(usual.remote == 20);
  CHECK(usual.messages == 400);
  for (const size_t descriptors : {128, 256, 1024, 2048, 4096}) {
    for (const size_t concurrency : {1, 20, 1000, 100000}) {
      CAPTURE(descriptors);
      CAPTURE(concurrency);
      const Room room = room_for(descriptors, concurrency, concurrency);
      CHECK(room.local >= 1);
      CHECK(room.remote >= 1);
      CHECK(room.messages >= 4);
      CHECK(room.local + room.remote + 6 * room.messages + 50 <= descriptors);
    }
  }
}

TEST_CASE("with hardly any descriptors there is still one of each") {
  const Room room = room_for(0, 10, 20);
  CHECK(room.local >= 1);
  CHECK(room.remote >= 1);
  CHECK(room.messages >= 1);
}
