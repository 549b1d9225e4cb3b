#include "queue/recipient_window.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

using namespace postern;

TEST_CASE("recipients count while they are out, and for the minutes after") {
  RecipientWindow window;
  CHECK(window.room(10, 1, 0) == 10);
  window.begin(4);
  CHECK(window.room(10, 1, 0) == 6);
  CHECK(window.next_room(1) == -1);
  window.begin(6);
  CHECK(window.room(10, 1, 500000) == 0);
  window.end(4, 1, 500000);
  CHECK(window.room(10, 1, 500001) == 0);
  CHECK(window.out() == 6);
  // The end is rounded up to the next second.
  CHECK(window.next_room(1) == 561000);
  CHECK(window.room(10, 1, 560999) == 0);
  CHECK(window.room(10, 1, 561000) == 4);
  window.give_back(6);
  CHECK(window.room(10, 1, 561000) == 10);
  CHECK(window.empty());
  window.reserve(7);
  CHECK(window.room(10, 1, 561000) == 3);
  CHECK(window.out() == 0);
  window.unreserve(8);
  CHECK(window.empty());
}

TEST_CASE("a limit that was lowered leaves no room, and none below nothing") {
  RecipientWindow window;
  window.begin(8);
  CHECK(window.room(5, 60, 0) == 0);
  window.give_back(100);
  CHECK(window.out() == 0);
  CHECK(window.room(5, 60, 0) == 5);
}

TEST_CASE("few ends are kept, whatever their number") {
  RecipientWindow window;
  for (int64_t now = 0; now < 10 * 3600000; now += 1000) {
    (void)window.room(1000000, 60, now);
    window.begin(1);
    window.end(1, 60, now);
  }
  CHECK(window.ended().size() <= 62);
}

TEST_CASE("ends that come out of order are kept in order") {
  RecipientWindow window;
  window.add_ended(1, 3000);
  window.add_ended(2, 1000);
  window.add_ended(3, 2000);
  window.add_ended(4, 1000);
  REQUIRE(window.ended().size() == 3);
  CHECK(window.ended()[0].when == 1000);
  CHECK(window.ended()[0].recipients == 6);
  CHECK(window.ended()[2].when == 3000);
  CHECK(window.room(20, 1, 61000) == 16);
}

// A server sees each recipient somewhere between the job's begin and its end.
TEST_CASE("no window holds more than the limit, wherever it begins") {
  for (unsigned seed = 0; seed < 20; ++seed) {
    std::mt19937 random(seed);
    const unsigned minutes = 1 + static_cast<unsigned>(random() % 3);
    const size_t limit = 5 + random() % 20;
    RecipientWindow window;
    struct Out {
      int64_t end;
      size_t recipients;
    };
    std::vector<Out> out;
    std::vector<std::pair<int64_t, size_t>> seen;
    size_t sent = 0;
    for (int64_t now = 0; now < 20 * 60000; now += 37) {
      for (const Out& job : out) {
        if (job.end <= now) window.end(job.recipients, minutes, now);
      }
      std::erase_if(out, [&](const Out& job) { return job.end <= now; });
      const size_t room = window.room(limit, minutes, now);
      if (room == 0 || random() % 3 != 0) continue;
      const size_t recipients = std::min<size_t>(room, 1 + random() % 8);
      const int64_t took = random() % 5 == 0 ? 40000 : random() % 300;
      window.begin(recipients);
      out.push_back({now + took, recipients});
      seen.emplace_back(now + (took > 0 ? static_cast<int64_t>(random()) % took : 0), recipients);
      sent += recipients;
    }
    std::sort(seen.begin(), seen.end());
    size_t first = 0;
    size_t sum = 0;
    size_t most = 0;
    for (size_t i = 0; i < seen.size(); ++i) {
      sum += seen[i].second;
      while (seen[first].first <= seen[i].first - minutes * 60000) sum -= seen[first++].second;
      most = std::max(most, sum);
    }
    CAPTURE(seed);
    CHECK(most <= limit);
    CHECK(sent > limit * 3);
  }
}
