#include "queue/limits_file.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <time.h>

#include <string>

#include "scratch.h"

using namespace postern;

namespace {

constexpr int64_t kNow = 3600000;  // the machine is up for an hour
constexpr std::string_view kOtherBoot = "postern-limits 1 another-boot\n+ 5 few.test\n- 2 90000 few.test\n";

// The file, last written so many seconds ago.
LimitsFile written(const Scratch& directory, std::string_view text, time_t seconds_ago) {
  const std::string path = directory.write("limits", text);
  const struct timespec when { ::time(nullptr) - seconds_ago, 0 };
  const struct timespec times[] = {when, when};
  REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
  return LimitsFile(directory.path());
}

}  // namespace

TEST_CASE("what a process has noted is known to the next") {
  const Scratch directory;
  {
    LimitsFile limits(directory.path());
    REQUIRE(limits.rewrite({}, false).ok());
    CHECK(limits.note_out("few.test", 5));
    limits.note_end("few.test", 2, kNow);
    limits.note_back("few.test", 1);
  }
  const LimitsFile::Left left = LimitsFile(directory.path()).read(kNow);
  CHECK(left.full_since == -1);
  REQUIRE(left.windows.contains("few.test"));
  CHECK(left.windows.at("few.test").out() == 2);
  CHECK(left.windows.at("few.test").ended_sum() == 2);
}

TEST_CASE("after another boot what was counted counts from when it was written") {
  const Scratch directory;
  LimitsFile::Left left = written(directory, std::string(kOtherBoot) + ".\n", 600).read(kNow);
  CHECK(left.full_since == -1);
  RecipientWindow& window = left.windows.at("few.test");
  CHECK(window.counted() == 5);
  CHECK(window.room(5, 5, kNow) == 5);
  left = written(directory, std::string(kOtherBoot) + ".\n", 600).read(kNow);
  CHECK(left.windows.at("few.test").room(5, 15, kNow) == 0);
}

TEST_CASE("after a power failure every limit counts as reached since then, and not before this boot") {
  const Scratch directory;
  const int64_t since = written(directory, kOtherBoot, 600).read(kNow).full_since;
  CHECK(since > kNow - 605000);
  CHECK(since <= kNow - 600000 + 1000);
  CHECK(written(directory, kOtherBoot, 86400).read(kNow).full_since == 0);
  // By a clock that is wrong it was written after now.
  CHECK(written(directory, kOtherBoot, -86400).read(kNow).full_since == kNow);
  CHECK(written(directory, "what is this\n", 600).read(kNow).full_since > kNow - 605000);
  CHECK(written(directory, "", 600).read(kNow).full_since > kNow - 605000);
}
