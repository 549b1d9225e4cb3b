#include "lib/prvs.h"

#include <doctest/doctest.h>

using namespace postern;

namespace {

constexpr uint64_t kDay = 86400;
// Day 20779 is 22 November 2026: what ends 7 days on ends on 786.
constexpr uint64_t kNow = 20779 * kDay + 4000;
const PrvsKey kKey{.number = 0, .secret = "secret-key", .retired = {}};

std::string_view state(std::string_view address, const std::vector<PrvsKey>& keys, uint64_t now) {
  return prvs_state_name(check_prvs(address, keys, now).state);
}

}  // namespace

// The digits were made with Python's hmac module.
TEST_CASE("tags are those of the draft") {
  CHECK(prvs_tagged("test@example.com", kKey, (20891 - 7) * kDay) == "prvs=08914d2722=test@example.com");
  CHECK(prvs_tagged("Joe@Example.com", {.number = 7, .secret = "secret-key", .retired = {}},
                    (21004 - 7) * kDay) == "prvs=70043118b9=Joe@Example.com");
}

TEST_CASE("some senders get no tag") {
  const std::string tagged = prvs_tagged("test@example.com", kKey, kNow);
  CHECK(prvs_tagged(tagged, kKey, kNow).empty());  // never twice
  CHECK(prvs_tagged("", kKey, kNow).empty());
  CHECK(prvs_tagged("postmaster", kKey, kNow).empty());
  CHECK(prvs_tagged("@example.com", kKey, kNow).empty());
  CHECK(prvs_tagged("\"a b\"@example.com", kKey, kNow).empty());
  CHECK_FALSE(prvs_tagged(std::string(48, 'a') + "@example.com", kKey, kNow).empty());  // 64 with its tag
  CHECK(prvs_tagged(std::string(49, 'a') + "@example.com", kKey, kNow).empty());
}

TEST_CASE("both forms are read, in any letter case") {
  struct Row {
    const char* address;
    const char* without;
  };
  for (const Row& row : {Row{"prvs=08914d2722=test@example.com", "test@example.com"},
                         Row{"PRVS=08914D2722=test@example.com", "test@example.com"},
                         Row{"prvs=test=08914d2722@example.com", "test@example.com"},
                         Row{"prvs=joe=123ABCDEFG@example.com", "joe@example.com"},
                         Row{"prvs=08914d2722=a=b@example.com", "a=b@example.com"},
                         Row{"prvs=a=b=08914d2722@example.com", "a=b@example.com"}}) {
    CAPTURE(row.address);
    const std::optional<PrvsAddress> parsed = parse_prvs(row.address);
    REQUIRE(parsed);
    CHECK(parsed->address == row.without);
  }
  for (const char* none :
       {"", "prvs", "prvs=", "prvs=@b", "prvs=08914d2722@b", "prvs=08914d2722=@b", "prvs=a=b@c",
        "prvs=08914d272=a@b", "prvs=0x914d2722=a@b", "xprvs=08914d2722=a@b", "prvs=08914d2722=a"}) {
    CAPTURE(none);
    CHECK_FALSE(parse_prvs(none));
  }
}

TEST_CASE("a tag is good for seven days, and for its own address and key alone") {
  const std::vector<PrvsKey> keys = {{.number = 1, .secret = "another-key", .retired = {}}, kKey};
  const std::string tagged = prvs_tagged("test@example.com", kKey, kNow);
  CHECK(tagged == "prvs=0786" + tagged.substr(9, 6) + "=test@example.com");
  CHECK(state(tagged, keys, kNow) == "valid");
  CHECK(state(tagged, keys, kNow + 7 * kDay) == "valid");
  CHECK(state(tagged, keys, kNow + 8 * kDay) == "expired");
  CHECK(state(tagged, keys, kNow - kDay) == "expired");  // of a day that nobody has reached
  CHECK(state("prvs=test=" + tagged.substr(5, 10) + "@example.com", keys, kNow) == "valid");
  CHECK(state("PRVS=" + tagged.substr(5, 10) + "=test@example.com", keys, kNow) == "valid");
  CHECK(state("prvs=" + tagged.substr(5, 10) + "=TEST@EXAMPLE.COM", keys, kNow) == "valid");
  const std::string capital = prvs_tagged("Joe.Smith@example.com", kKey, kNow).substr(0, 16);
  CHECK(state(capital + "Joe.Smith@Example.COM", keys, kNow) == "valid");
  CHECK(state(capital + "joe.smith@example.com", keys, kNow) == "forged");
  CHECK(state("prvs=" + tagged.substr(5, 10) + "=other@example.com", keys, kNow) == "forged");
  CHECK(state("prvs=1" + tagged.substr(6), keys, kNow) == "forged");
  CHECK(state("prvs=joe=123ABCDEFG@example.com", keys, kNow) == "forged");
  CHECK(state(tagged, {}, kNow) == "keyless");
  CHECK(state("joe@example.com", {}, kNow) == "keyless");
  CHECK(state("test@example.com", keys, kNow) == "untagged");
  CHECK(check_prvs(tagged, keys, kNow).address == "test@example.com");
  // Across the turn of the thousand days.
  const std::string late = prvs_tagged("test@example.com", kKey, 20997 * kDay);
  CHECK(late.starts_with("prvs=0004"));
  CHECK(state(late, keys, 20998 * kDay) == "valid");
  CHECK(state(late, keys, 21005 * kDay) == "expired");
}

TEST_CASE("a retired key is good for seven days more") {
  const Result<std::vector<PrvsKey>> keys =
      parse_prvs_keys("# new\n1 brand-new-secret\n0 secret-key until 2026-11-22\n", "bouncekeys");
  REQUIRE(keys);
  CHECK((*keys)[1].retired == 20780);
  const std::string tagged = prvs_tagged("test@example.com", (*keys)[1], kNow);
  CHECK(state(tagged, *keys, kNow + 7 * kDay) == "valid");
  // Whoever has found the old key may not make tags for ever.
  const std::string forged = prvs_tagged("test@example.com", (*keys)[1], kNow + 8 * kDay);
  CHECK(state(forged, *keys, kNow + 8 * kDay) == "expired");
}

TEST_CASE("a broken line of keys names itself") {
  for (const char* line :
       {"0", "10 long-enough", "0 short", "0 long-enough until", "0 long-enough until 2026-13-01",
        "0 long-enough since 2026-11-22", "x long-enough"}) {
    CAPTURE(line);
    const Result<std::vector<PrvsKey>> keys = parse_prvs_keys("\n" + std::string(line), "bouncekeys");
    REQUIRE_FALSE(keys);
    CHECK(keys.failure().text.starts_with("read bouncekeys line 2: "));
  }
}
