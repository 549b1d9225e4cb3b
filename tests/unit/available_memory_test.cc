#include "lib/available_memory.h"

#include <doctest/doctest.h>

#include <string>

using namespace postern;

TEST_CASE("the available memory is MemAvailable, and nothing where it is not said") {
  const struct {
    std::string text;
    std::optional<uint64_t> bytes;
  } cases[] = {
      {"MemTotal:  8 kB\nMemFree:  4 kB\nMemAvailable:      5 kB\nBuffers: 1 kB\n", 5 * 1024},
      {"MemAvailable: 0 kB\n", 0},
      {"", std::nullopt},
      {"MemTotal: 8 kB\nMemFree: 4 kB\n", std::nullopt},
      {"MemAvailable: 5 kB", std::nullopt},  // cut
      {"MemAvailable: 5\n", std::nullopt},
      {"MemAvailable: -5 kB\n", std::nullopt},
      {"MemAvailable:  kB\n", std::nullopt},
      {"MemAvailable: kB\n", std::nullopt},
      {"MemAvailable: 18446744073709551615 kB\n", std::nullopt},
      {"MemAvailable: 99999999999999999999999 kB\n", std::nullopt},
      {"XMemAvailable: 5 kB\n", std::nullopt},
      {std::string("\0\xff\n", 3), std::nullopt},
  };
  for (const auto& c : cases) {
    CAPTURE(c.text);
    CHECK(available_memory_bytes(c.text) == c.bytes);
  }
}

TEST_CASE("this machine says how much memory is available") {
  const std::optional<uint64_t> bytes = available_memory_bytes();
  REQUIRE(bytes.has_value());
  CHECK(*bytes > 0);
}
