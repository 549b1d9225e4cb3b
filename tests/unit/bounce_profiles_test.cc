#include "lib/bounce_profiles.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "scratch.h"

using namespace postern;

namespace {

BounceProfiles parsed(std::string_view text) {
  Result<BounceProfiles> profiles = BounceProfiles::parse(text, "control/bounceprofiles");
  REQUIRE(profiles.ok());
  return std::move(*profiles);
}

}  // namespace

TEST_CASE("without a table there is DEFAULT, with Cisco's values, and a header alone is returned") {
  const BounceProfiles none;
  const BounceProfile& profile = none.standard();
  CHECK(profile.max_retries == 100);
  CHECK(profile.max_queue_lifetime == 259200);
  CHECK(profile.initial_retry == 60);
  CHECK(profile.max_retry_timeout == 3600);
  CHECK(profile.send_hard_bounces);
  CHECK(profile.bounce_format == BounceFormat::dsn);
  CHECK_FALSE(profile.send_delay_warnings);
  CHECK(profile.delay_warning_interval == 14400);
  CHECK(profile.max_delay_warnings == 1);
  CHECK(profile.bounce_recipient.empty());
  CHECK_FALSE(profile.sign_bounces);
  CHECK(profile.max_bounce_copy == 0);
  CHECK(none.find("default") == &profile);
  CHECK(none.find("fast") == nullptr);
  CHECK(none.find("") == nullptr);
}

TEST_CASE("a profile says what differs from DEFAULT, wherever that stands") {
  const BounceProfiles profiles = parsed(
      "# two\nfast max_retries=2 initial_retry=10 hard=4.1.8 soft=550+5.7.26,55,5.2\n"
      "German template=de bounce_format=PLAIN sign_bounces=yes max_bounce_copy=10240\n"
      "default max_retry_timeout=50 send_delay_warnings=on delay_warning_interval=600 max_delay_warnings=3\n"
      "quiet send_hard_bounces=off bounce_recipient=ops@example.org max_retry_timeout=7200 template=de\n");
  REQUIRE(profiles.find("FAST") != nullptr);
  const BounceProfile& fast = *profiles.find("FAST");
  CHECK(fast.name == "fast");
  CHECK(fast.max_retries == 2);
  CHECK(fast.initial_retry == 10);
  CHECK(fast.max_retry_timeout == 50);
  CHECK(fast.max_delay_warnings == 3);
  CHECK(fast.hard.size() == 1);
  CHECK(fast.soft.size() == 3);
  CHECK(profiles.find("german")->bounce_format == BounceFormat::plain);
  CHECK(profiles.find("german")->max_bounce_copy == 10240);
  CHECK(profiles.find("quiet")->bounce_recipient == "ops@example.org");
  CHECK(profiles.standard().delay_warning_interval == 600);
  CHECK(profiles.longest_wait() == 7200);
  CHECK(profiles.templates() == std::vector<std::string>{"de"});
}

TEST_CASE("rules fit whole codes and parts, never half of one") {
  struct Row {
    const char* rule;
    const char* code;
    const char* status;
    bool fits;
  };
  const Row rows[] = {
      {"550", "550", "", true},
      {"550", "551", "5.5.0", false},
      {"55", "551", "5.1.1", true},
      {"5.7", "550", "5.7.26", true},
      {"5.7", "550", "5.71.1", false},
      {"5.7", "", "5.7.1", true},
      {"5.7.2", "550", "5.7.26", false},
      {"5.7.26", "550", "5.7.26", true},
      {"5.7.26", "550", "", false},
      {"550+5.7.26", "550", "5.7.26", true},
      {"5.7.26+550", "550", "5.7.26", true},
      {"550+5.7.26", "554", "5.7.26", false},
      {"550+5.7.26", "550", "5.7.1", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.rule);
    CAPTURE(row.code);
    CAPTURE(row.status);
    const BounceProfiles profiles = parsed(std::string("DEFAULT soft=") + row.rule);
    REQUIRE(profiles.standard().soft.size() == 1);
    CHECK(profiles.standard().soft[0].fits(row.code, row.status) == row.fits);
  }
  CHECK(parsed("DEFAULT soft=550\nhard soft=\n").find("hard")->soft.empty());
}

TEST_CASE("what is wrong is named with file, line and remedy") {
  struct Row {
    std::string text, says;
  };
  const Row rows[] = {
      {"fast max_retries=x\n", "line 1: max_retries=x: it is a number from 0 to 1000000"},
      {"\nfast initial_retry=0\n", "line 2: initial_retry=0: it is a number from 1 to "},
      {"fast max_retry_timeout=0\n", "line 1: max_retry_timeout=0: it is a number from 1 to "},
      {"fast max_queue_lifetime=9999999999\n", "line 1: max_queue_lifetime=9999999999: it is a number"},
      {"fast bounce_format=html\n", "line 1: bounce_format=html: it is one of dsn, plain"},
      {"fast bounce_recipient=ops\n", "line 1: bounce_recipient=ops: it is a full address"},
      {"fast bounce_recipient=<a@b>\n", "line 1: bounce_recipient=<a@b>: it is a full address"},
      {"fast template=../x\n", "line 1: template=../x: it is a name of"},
      {"fast soft=5\n", "line 1: soft=5: it is a list"},
      {"fast soft=250\n", "line 1: soft=250: it is a list"},
      {"fast soft=5.7.26.1\n", "line 1: soft=5.7.26.1: it is a list"},
      {"fast soft=550,\n", "line 1: soft=550,: it is a list"},
      {"fast soft=550+551\n", "line 1: soft=550+551: it is a list"},
      {"fast hard=4..1\n", "line 1: hard=4..1: it is a list"},
      {"a/b max_retries=1\n", "line 1: \"a/b\" is no name of A-Z, a-z, 0-9, - and _"},
      {"fast\nFAST\n", "line 2: there is a line for it before"},
      {"fast colour=1\n", "line 1: \"colour=1\" is no PARAMETER=VALUE with one of max_retries, "},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const Result<BounceProfiles> profiles = BounceProfiles::parse(row.text, "control/bounceprofiles");
    REQUIRE_FALSE(profiles.ok());
    CHECK_FALSE(profiles.failure().permanent());
    CHECK(profiles.failure().text.find("read control/bounceprofiles " + row.says) == 0);
  }
}

TEST_CASE("what DEFAULT does not say is in the control files") {
  const ScratchHome home;
  home.write("control/queuelifetime", "1000\n");
  home.write("control/retryfirst", "5\n");
  home.write("control/retrylongest", "99999999999999\n");
  Result<BounceProfiles> profiles = BounceProfiles::read();
  REQUIRE(profiles.ok());
  CHECK(profiles->standard().max_queue_lifetime == 1000);
  CHECK(profiles->standard().initial_retry == 5);
  CHECK(profiles->standard().max_retry_timeout < 10000000000);  // no sum with it wraps around
  home.write("control/bounceprofiles", "DEFAULT max_queue_lifetime=7\nslow initial_retry=9\n");
  profiles = BounceProfiles::read();
  REQUIRE(profiles.ok());
  CHECK(profiles->standard().max_queue_lifetime == 7);
  CHECK(profiles->find("slow")->max_queue_lifetime == 7);
  CHECK(profiles->standard().initial_retry == 5);
  home.write("control/bounceprofiles", "slow x\n");
  CHECK_FALSE(BounceProfiles::read().ok());
}
