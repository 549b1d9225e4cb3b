#include "lib/available_memory.h"

#include <doctest/doctest.h>

#include <string>

#include "scratch.h"

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

TEST_CASE("the control groups leave what the tightest of them leaves, without the files' pages it can drop") {
  const Scratch scratch;
  const std::string mount = scratch.path();
  const auto left = [&](const char* groups) { return available_in_cgroup_bytes(mount, groups); };
  const char* nested = "1:name=systemd:/x\n0::/a/b\n";
  CHECK(left(nested) == std::nullopt);
  for (const char* group : {"a", "a/b"}) {
    REQUIRE(::mkdir(scratch.path(group).c_str(), 0755) == 0);
    scratch.write(std::string(group) + "/memory.max", "max\n");
    scratch.write(std::string(group) + "/memory.current", "5000\n");
  }
  CHECK(left(nested) == std::nullopt);
  scratch.write("a/memory.max", "8000\n");
  CHECK(left(nested) == 3000);
  scratch.write("a/memory.stat", "anon 1\ninactive_file 1000\nactive_file 7\n");
  CHECK(left(nested) == 4000);
  scratch.write("a/b/memory.max", "5100\n");
  CHECK(left(nested) == 100);
  scratch.write("a/b/memory.max", "4000\n");
  CHECK(left(nested) == 0);
  CHECK(left("0::/a\n") == 4000);
  CHECK(left("0::/\n") == std::nullopt);
  scratch.write("memory.max", "6000\n");  // the root of a group namespace
  scratch.write("memory.current", "1000\n");
  CHECK(left("0::/\n") == 5000);
  CHECK(left("4:memory:/a\n") == std::nullopt);
  CHECK(left("") == std::nullopt);
}
