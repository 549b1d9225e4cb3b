#include "queue/work_entry.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <string>

#include "lib/spool.h"
#include "scratch.h"

using namespace postern;

TEST_CASE("an entry stands while it is in new or cur, and as long as nobody can tell") {
  const ScratchHome home;
  for (const char* name : {"work", "sets"}) {
    const std::string base(name);
    REQUIRE(Spool(home.path(base)).make_directories().ok());
    CHECK(is_work_entry(base + "/5"));
    CHECK_FALSE(work_entry_stands(base + "/5"));
    home.write(base + "/tmp/5/5", "x");
    CHECK_FALSE(work_entry_stands(base + "/5"));
    home.write(base + "/cur/5/5", "x");
    CHECK(work_entry_stands(base + "/5"));
    home.write(base + "/new/6/6", "x");
    CHECK(work_entry_stands(base + "/6"));
    // A directory in the way: whether it stands is not known.
    home.write(base + "/x", "x");
    REQUIRE(::rmdir(home.path(base + "/new/7").c_str()) == 0);
    REQUIRE(::symlink(home.path(base + "/x").c_str(), home.path(base + "/new/7").c_str()) == 0);
    CHECK(work_entry_stands(base + "/7"));
  }
  for (const char* none :
       {"", "5", "/5", "queue/5", "quarantine/5", "sets/", "sets/0", "sets/x", "sets/../work/5", "work/5x"}) {
    CAPTURE(none);
    CHECK_FALSE(work_entry_stands(none));
    CHECK_FALSE(is_work_entry(none));
  }
  Environment kept;
  CHECK_FALSE(waits_for_work_entry(kept));
  kept.set("POSTERN_WORK", "sets/6");
  CHECK(waits_for_work_entry(kept));
}
