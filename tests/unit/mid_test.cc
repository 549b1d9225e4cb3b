#include "lib/mid.h"

#include <doctest/doctest.h>

#include <set>
#include <string>

#include "lib/text.h"

using namespace postern;

TEST_CASE("a mid is 63 bits and tells when it was made") {
  const uint64_t before = now_microseconds();
  const uint64_t mid = make_mid();
  CHECK((mid >> 12) >= before);
  CHECK((mid >> 12) <= now_microseconds());
  CHECK((mid >> 63) == 0);
  CHECK(parse_mid(std::to_string(mid)) == mid);
  std::set<uint64_t> mids;
  for (int i = 0; i < 100; ++i) mids.insert(make_mid());
  CHECK(mids.size() > 95);
}

TEST_CASE("only a decimal number above 0 and within 63 bits is a mid") {
  struct Row {
    std::string text;
    std::optional<uint64_t> mid;
  };
  const Row rows[] = {
      {"1", 1},
      {"9223372036854775807", 9223372036854775807ULL},
      {"9223372036854775808", std::nullopt},
      {"18446744073709551617", std::nullopt},
      {"0", std::nullopt},
      {"00", std::nullopt},
      {"", std::nullopt},
      {"-1", std::nullopt},
      {"1/../2", std::nullopt},
      {"..", std::nullopt},
      {"1 ", std::nullopt},
      {"1\n", std::nullopt},
      {std::string("1\0", 2), std::nullopt},
      {"0x1", std::nullopt},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(parse_mid(row.text) == row.mid);
  }
}
