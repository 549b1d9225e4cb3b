#include "queue/room.h"

#include <doctest/doctest.h>

#include <initializer_list>

using namespace postern;

TEST_CASE("what is open at once fits into the descriptors that there are") {
  const Room usual = room_for(4096, 10, 20);
  CHECK(usual.local == 10);
  CHECK(usual.remote == 20);
  CHECK(usual.messages == 400);
  for (const size_t descriptors : {128UL, 256UL, 1024UL, 2048UL, 4096UL}) {
    for (const size_t concurrency : {1UL, 20UL, 1000UL, 100000UL}) {
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
