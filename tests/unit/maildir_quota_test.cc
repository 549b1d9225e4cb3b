#include "local/maildir_quota.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "tests/unit/scratch.h"

using namespace postern;

namespace {

struct QuotaMaildir : Scratch {
  QuotaMaildir() {
    for (const char* part : {"tmp", "new", "cur", ".Old", ".Old/cur", ".Old/new", ".Trash", ".Trash/cur"})
      REQUIRE(::mkdir(path(part).c_str(), 0700) == 0);
  }
  [[nodiscard]] bool room(const Quota& quota, uint64_t bytes) const {
    Result<bool> has = has_room(path() + "/", quota, bytes);
    REQUIRE(has.ok());
    return *has;
  }
};

}  // namespace

TEST_CASE("quotas are numbers with units") {
  CHECK(parse_quota("1000S,5C") == Quota{1000, 5});
  CHECK(parse_quota("5C") == Quota{0, 5});
  CHECK(parse_quota("2K") == Quota{2048, 0});
  CHECK(parse_quota("3M,7C") == Quota{3 * 1024 * 1024, 7});
  CHECK(parse_quota("1G") == Quota{1 << 30, 0});
  for (const std::string_view wrong :
       {"", "0", "C", "S", "x", "1X", "1M,", ",1M", "-1", "99999999999999999999", "2000000000G"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_quota(wrong).has_value());
  }
  CHECK(quota_text(Quota{10, 2}) == "10S,2C");
  CHECK(quota_text(Quota{0, 2}) == "2C");
}

TEST_CASE("a maildirsize file adds up, or must be counted anew") {
  const Quota quota{1000, 10};
  const auto counted = parse_maildirsize("1000S,10C\n  500 2\n-100 -1\n30 1\n", quota);
  REQUIRE(counted.has_value());
  CHECK(counted->usage.bytes == 430);
  CHECK(counted->usage.messages == 2);
  CHECK(counted->lines == 3);
  for (const std::string_view wrong :
       {"", "\n", "1000S\n5 1\n", "1000S,10C\n5\n", "1000S,10C\n5 1", "1000S,10C\n5 1 1\n",
        "1000S,10C\n-5 1\n", "1000S,10C\nx y\n", "1000S,10C\n99999999999999999999 1\n"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_maildirsize(wrong, quota).has_value());
  }
  CHECK_FALSE(parse_maildirsize("1000S,10C\n" + std::string(6000, '\n'), quota).has_value());
}

TEST_CASE("there is room up to the quota and not beyond") {
  CHECK_FALSE(exceeds({100, 0}, {60, 5}, 40));
  CHECK(exceeds({100, 0}, {60, 5}, 41));
  CHECK(exceeds({100, 0}, {160, 5}, 0));
  CHECK_FALSE(exceeds({0, 6}, {60, 5}, 41));
  CHECK(exceeds({0, 5}, {60, 5}, 41));
  CHECK_FALSE(exceeds({0, 0}, {60, 5}, 41));
}

TEST_CASE("sizes come from names, and trash is seen by its flag") {
  CHECK(size_in_name("1.M2P3.host,S=55:2,S") == 55);
  CHECK(size_in_name("1.host,S=55,W=57:2,") == 55);
  CHECK_FALSE(size_in_name("1.host:2,S=7").has_value());
  CHECK_FALSE(size_in_name("1.host,S=").has_value());
  CHECK(is_trashed("1.host:2,ST"));
  CHECK_FALSE(is_trashed("1.T.host:2,S"));
  CHECK_FALSE(is_trashed("1.host"));
}

TEST_CASE("counting takes all folders but the trash, and writes what it found") {
  const QuotaMaildir maildir;
  maildir.write("new/1,S=100", "x");
  maildir.write("cur/2:2,S", std::string(200, 'x'));
  maildir.write("cur/3:2,ST", std::string(5000, 'x'));
  maildir.write(".Old/cur/4,S=300", "");
  maildir.write(".Trash/cur/5,S=5000", "");
  maildir.write("tmp/6", std::string(5000, 'x'));
  const Quota quota{1000, 10};
  CHECK(maildir.room(quota, 400));
  CHECK(maildir.read("maildirsize") == "1000S,10C\n600 3\n");
  REQUIRE(count_delivery(maildir.path() + "/", 350).ok());
  CHECK(maildir.read("maildirsize") == "1000S,10C\n600 3\n350 1\n");
  // Two lines say "full": counted anew, and the 350 bytes are not there.
  CHECK(maildir.room(quota, 400));
  CHECK_FALSE(maildir.room(quota, 401));
  CHECK(maildir.room({2000, 10}, 1400));
  CHECK(maildir.read("maildirsize").starts_with("2000S,10C\n"));
}

TEST_CASE("a delivery into a Maildir whose maildirsize has gone is not counted") {
  const QuotaMaildir maildir;
  CHECK(count_delivery(maildir.path() + "/", 5).ok());
  CHECK(maildir.read("maildirsize") == "(no such file)");
}
