#include "remote/limit_table.h"

#include <doctest/doctest.h>

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lib/text.h"
#include "scratch.h"

using namespace postern;

namespace {

constexpr int64_t kHour = 3600 * 1000;

// The slot of a key whose hash is this, found at that time.
std::optional<size_t> find(LimitTable& table, uint64_t hash, int64_t now) {
  const Result<LimitTable::Row> row = table.lock(hash);
  REQUIRE(row.ok());
  const Result<std::optional<size_t>> found = table.find(*row, hash, now);
  REQUIRE(found.ok());
  return *found;
}

// The slots of a row that has no other; its hashes begin with 1.
std::vector<size_t> fill_row(LimitTable& table) {
  std::vector<size_t> slots;
  for (uint64_t i = 0; i < LimitTable::kRow; ++i) slots.push_back(*find(table, 1 + (i << 32), 0));
  REQUIRE(std::set<size_t>(slots.begin(), slots.end()).size() == LimitTable::kRow);
  return slots;
}

constexpr uint64_t kNext = 1 + (uint64_t{1} << 50);

}  // namespace

TEST_CASE("the row of a key cannot be told from outside, and is that of all who share the file") {
  const Scratch scratch;
  LimitTable table(scratch.path("addresses"));
  LimitTable same(scratch.path("addresses"));
  LimitTable other(scratch.path("other"));
  REQUIRE((table.open().ok() && same.open().ok() && other.open().ok()));
  CHECK(table.hash("192.0.2.1") == same.hash("192.0.2.1"));
  CHECK(table.hash("192.0.2.1") != other.hash("192.0.2.1"));
  CHECK(table.boot() == same.boot());
}

TEST_CASE("a slot makes room when the longest minutes for which it counted are over") {
  const Scratch scratch;
  LimitTable table(scratch.path("addresses"));
  REQUIRE(table.open().ok());
  LimitSlot content{};
  content.boot = table.boot();
  content.written = static_cast<int64_t>(now_microseconds() / 1000);
  content.end_count = 1;
  content.when[0] = 1000;
  content.recipients[0] = 1;
  content.minutes = 60;
  const std::vector<size_t> slots = fill_row(table);
  for (const size_t slot : slots) REQUIRE(table.write(slot, content).ok());
  CHECK_FALSE(find(table, kNext, 1000000 + kHour - 1));
  content.minutes = 2;
  REQUIRE(table.write(slots[7], content).ok());
  CHECK_FALSE(find(table, kNext, 1000000 + 119999));
  CHECK(find(table, kNext, 1000000 + 120000) == slots[7]);
}

TEST_CASE("a slot of another boot makes room after an hour of this one, whatever the clock says") {
  const Scratch scratch;
  LimitTable table(scratch.path("addresses"));
  REQUIRE(table.open().ok());
  LimitSlot content{};
  content.boot = table.boot() + 1;
  content.written = INT64_MAX;
  content.out[5] = 7;
  content.end_count = UINT32_MAX;
  content.when.fill(UINT32_MAX);
  content.minutes = UINT16_MAX;
  const std::vector<size_t> slots = fill_row(table);
  for (const size_t slot : slots) REQUIRE(table.write(slot, content).ok());
  CHECK_FALSE(find(table, kNext, kHour - 1));
  CHECK(find(table, kNext, kHour));
  content.boot = table.boot();
  content.out.fill(0);
  for (const size_t slot : slots) REQUIRE(table.write(slot, content).ok());
  CHECK_FALSE(find(table, kNext + (uint64_t{1} << 51), kHour));
}

TEST_CASE("the sites of places are told apart by twelve bits, each by itself") {
  LimitSlot slot{};
  for (unsigned place = 0; place < kMostPlaces; ++place) slot.set_site(place, 0xabc000 + place * 7);
  slot.set_site(500, 0x123);
  for (unsigned place = 0; place < kMostPlaces; ++place) {
    CAPTURE(place);
    CHECK(slot.site_of(place) == (place == 500 ? 0x123 : LimitSlot::bits_of(place * 7)));
  }
}

TEST_CASE("places of others are counted, whichever they are, as far as it matters") {
  const Scratch scratch;
  LimitTable table(scratch.path("addresses"));
  LimitTable other(scratch.path("addresses"));
  LimitTable third(scratch.path("addresses"));
  REQUIRE((table.open().ok() && other.open().ok() && third.open().ok()));
  REQUIRE(table.take_place(3, 0));
  for (const unsigned place : {1U, 2U, 500U, kMostPlaces - 1}) REQUIRE(other.take_place(3, place));
  REQUIRE(third.take_place(3, 250));
  REQUIRE(third.take_place(2, kMostPlaces - 1));
  REQUIRE(third.take_place(4, 0));
  CHECK(table.count_taken(3, kMostPlaces) == 5);
  CHECK(other.count_taken(3, kMostPlaces) == 2);
  CHECK(table.count_taken(3, 3) >= 3);
  CHECK(table.count_taken(3, 0) == 0);
  CHECK(table.count_taken(5, 3) == 0);
}
