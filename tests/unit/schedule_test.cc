#include "queue/schedule.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <string>

#include "scratch.h"

using namespace postern;

namespace {

class Queue : public Scratch {
 public:
  Queue() { REQUIRE(spool.make_directories().ok()); }
  void message(uint64_t mid) const { touch("cur", mid); }
  void tried(uint64_t mid, uint64_t next) const {
    touch("cur", mid);
    touch("defer", mid);
    const timespec times[2] = {{.tv_sec = 1, .tv_nsec = 0},
                               {.tv_sec = static_cast<time_t>(next), .tv_nsec = 0}};
    REQUIRE(::utimensat(AT_FDCWD, spool.path("defer", mid).c_str(), times, 0) == 0);
  }
  const Spool spool{path("queue")};

 private:
  void touch(std::string_view place, uint64_t mid) const {
    write(spool.path(place, mid).substr(path().size() + 1), "");
  }
};

// What is due at that time, in order.
std::vector<uint64_t> due(Schedule& schedule, uint64_t now) {
  std::vector<uint64_t> mids;
  while (const std::optional<uint64_t> mid = schedule.take_due(now)) mids.push_back(*mid);
  return mids;
}

}  // namespace

TEST_CASE("messages come when they are due, the oldest first") {
  Schedule schedule;
  CHECK(schedule.wait(100) == -1);
  schedule.add(7, 200);
  schedule.add(5, 0);
  schedule.add(3, 100);
  schedule.add(4, 100);
  CHECK(schedule.wait(100) == 0);
  CHECK(due(schedule, 100) == std::vector<uint64_t>{5, 3, 4});
  CHECK(schedule.wait(100) == 100000);
  schedule.flush();
  CHECK(due(schedule, 100) == std::vector<uint64_t>{7});
}

TEST_CASE("a restart takes the times of change in defer/ for the times of the next tries") {
  const Queue queue;
  queue.message(1);
  queue.tried(2, 500);
  queue.tried(3, 1000);
  queue.tried(4, 1000000);  // further away than any wait: the file says when, so it is opened
  queue.tried(5, 0);
  queue.message(6);
  queue.write("queue/defer/" + std::to_string(9 % POSTERN_SPLIT) + "/9", "");  // of no message
  Schedule schedule;
  REQUIRE(schedule.load(queue.spool).ok());
  CHECK(schedule.loading());
  CHECK(due(schedule, 600) == std::vector<uint64_t>{1, 6});  // these need not wait for the others
  while (schedule.loading()) schedule.load_some(queue.spool, 600, 3600);
  CHECK(due(schedule, 600) == std::vector<uint64_t>{4, 5, 2});
  CHECK(due(schedule, 999).empty());
  CHECK(due(schedule, 1000) == std::vector<uint64_t>{3});
}

TEST_CASE("a flush makes due what has not been looked at yet") {
  const Queue queue;
  queue.tried(2, 5000);
  Schedule schedule;
  REQUIRE(schedule.load(queue.spool).ok());
  schedule.flush();
  CHECK_FALSE(schedule.loading());
  CHECK(due(schedule, 1) == std::vector<uint64_t>{2});
}

TEST_CASE("a part that cannot be read hides no other, and is loaded once it can be") {
  const Queue queue;
  queue.message(1);
  queue.message(2);
  queue.tried(3, 500);
  const std::string part = queue.path("queue/cur/2");
  REQUIRE(::rename(part.c_str(), queue.path("elsewhere").c_str()) == 0);
  REQUIRE(::rename(queue.path("queue/defer/3").c_str(), queue.path("notes").c_str()) == 0);
  Schedule schedule;
  CHECK_FALSE(schedule.load(queue.spool).ok());
  CHECK_FALSE(schedule.loaded());
  schedule.load_some(queue.spool, 400, 3600);
  CHECK(due(schedule, 400) == std::vector<uint64_t>{1, 3});
  REQUIRE(::rename(queue.path("elsewhere").c_str(), part.c_str()) == 0);
  queue.message(2 + POSTERN_SPLIT);
  schedule.add_new(2 + POSTERN_SPLIT, 0);  // taken over meanwhile: it gets no second place
  CHECK(schedule.load(queue.spool).ok());
  CHECK(schedule.loaded());
  CHECK(due(schedule, 400) == std::vector<uint64_t>{2, 2 + POSTERN_SPLIT});
}

TEST_CASE("a queue that cannot be read is said to be so") {
  const Scratch scratch;
  Schedule schedule;
  CHECK_FALSE(schedule.load(Spool(scratch.path("none"))).ok());
}

TEST_CASE("a message that gets a second place for an order ends with one, wherever it is met") {
  Schedule schedule;
  schedule.add(7, 1000);
  schedule.add_again(7, 0);
  schedule.add_again(7, 0);
  // Opened, not due: each place too many is given up, the first one stays.
  for (int i = 0; i < 2; ++i) {
    REQUIRE(schedule.take_due(10) == 7);
    schedule.put_back(7, 1000);
  }
  CHECK_FALSE(schedule.take_due(999));
  REQUIRE(schedule.take_due(1000) == 7);
  schedule.put_back(7, 2000);  // the only one: it is put back
  CHECK_FALSE(schedule.take_due(1999));
  REQUIRE(schedule.take_due(2000) == 7);
  CHECK(schedule.wait(2000) == -1);

  // Tried by way of the second place: the first one is met later, and dropped.
  schedule.add(8, 1000);
  schedule.add_again(8, 0);
  REQUIRE(schedule.take_due(10) == 8);
  schedule.add(8, 1500);
  REQUIRE(schedule.take_due(1000) == 8);
  schedule.put_back(8, 1500);
  REQUIRE(schedule.take_due(1500) == 8);
  CHECK(schedule.wait(1500) == -1);

  // Gone meanwhile.
  schedule.add_again(9, 0);
  REQUIRE(schedule.take_due(10) == 9);
  schedule.forget(9);
  schedule.add(9, 20);
  REQUIRE(schedule.take_due(20) == 9);
  schedule.put_back(9, 30);
  CHECK(schedule.take_due(30) == 9);
}
