#include "queue/defer_log.h"

#include <doctest/doctest.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <string>

#include "queue/attempts.h"
#include "queue/orders.h"
#include "scratch.h"

using namespace postern;

namespace {

std::string order(Verb verb, uint64_t rid, const char* route = "") {
  return order_line({.verb = verb, .time = 9, .who = "root", .rids = {{rid, rid}}, .route = route});
}

bool has_unmet(const std::string& log) {
  return replay_orders(log, 9).flushes > parse_attempts(log).flushes;
}

}  // namespace

TEST_CASE("a compacted log says what the long one says") {
  std::string log =
      "r 0 first\nr 1 other\nt 1 100 160\nd 3 relayed ok\nd 4 expanded yes\nw 1 100\na 1 5 99 .\nw 1 150\na "
      "1 6 200 .\nr 0 se";
  log += order(Verb::hold, 0) + order(Verb::reroute, 1, "mx.example:26") + order(Verb::release, 0);
  log += order(Verb::bounce, 2) + order(Verb::flush, 1) + "\nn 3 .\nr 0 last\nt 2 200 260 2\n";
  const std::string compacted = compact_log(log);
  CHECK(compacted.size() < log.size());
  const Attempts before = parse_attempts(log);
  const Attempts after = parse_attempts(compacted);
  CHECK(after.tries == 2);
  CHECK(after.last == 200);
  CHECK(after.next == 260);
  CHECK(after.replies == before.replies);
  CHECK(after.replies.at(0) == "last");
  CHECK(after.warned == before.warned);
  CHECK(after.warned.at(1) == Warnings{2, 150});
  CHECK(after.turns == before.turns);
  CHECK(after.turn_of(1) == Turn{6, 200});
  REQUIRE(after.untold.size() == 1);
  CHECK(after.untold.at(4).action == "expanded");
  CHECK(after.untold.at(4).text == "yes");
  CHECK(replay_orders(compacted, 9).recipients == replay_orders(log, 9).recipients);
  CHECK_FALSE(has_unmet(compacted));
  CHECK(compact_log(compacted) == compacted);
}

TEST_CASE("compacting neither forgets an order to try at once nor makes one of what was met") {
  const std::string flush = order(Verb::flush, 0);
  const std::string release = order(Verb::release, 0);
  struct Row {
    std::string log;
    bool unmet;
  };
  for (const Row& row : {Row{flush, true},
                         {release, true},
                         {"t 1 1 2\n" + flush + flush + flush, true},
                         {"t 1 1 2 2\n" + flush + flush + flush, true},
                         {"t 1 1 2 3\n" + flush + flush + flush, false},
                         {"t 1 1 2 2\n" + flush + release, false},
                         {"t 1 1 2 1\n" + flush + release, true},
                         {"t 1 1 2 1\n" + release + release, true},
                         {"t 1 1 2\n", false}}) {
    CAPTURE(row.log);
    CHECK(has_unmet(row.log) == row.unmet);
    const std::string compacted = compact_log(row.log);
    CHECK(has_unmet(compacted) == row.unmet);
    CHECK(has_unmet(compacted + flush));
  }
}

TEST_CASE("a file that has grown is replaced with its time; one that an order is written to is left") {
  const Scratch scratch;
  const Spool spool(scratch.path("queue"));
  REQUIRE(spool.make_directories().ok());
  std::string log;
  for (int i = 0; i < 1000; ++i) log += "r 0 reply " + std::to_string(i) + "\nt 1 100 160\n";
  const std::string name = "queue/defer/7/7";
  scratch.write(name, log);
  const timespec times[2] = {{.tv_sec = 1, .tv_nsec = 0}, {.tv_sec = 160, .tv_nsec = 0}};
  REQUIRE(::utimensat(AT_FDCWD, scratch.path(name).c_str(), times, 0) == 0);
  {
    const Result<Fd> held = lock_defer_log(spool.path("defer", 7));
    REQUIRE(held.ok());
    REQUIRE(compact_defer_log(spool, 7).ok());
    CHECK(scratch.read(name) == log);
  }
  REQUIRE(compact_defer_log(spool, 7).ok());
  CHECK(parse_attempts(scratch.read(name)).replies.at(0) == "reply 999");
  CHECK(scratch.read(name).size() < 100);
  struct stat status {};
  REQUIRE(::stat(scratch.path(name).c_str(), &status) == 0);
  CHECK(status.st_mtime == 160);
  CHECK(spool.list("tmp")->empty());
  CHECK_FALSE(compact_defer_log(spool, 8).ok());
}
