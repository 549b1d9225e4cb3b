#include "remote/set_aside.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>

using namespace postern;

TEST_CASE("an address that failed stands aside for a time, or until it works") {
  SetAside aside;
  CHECK_FALSE(aside.holds("192.0.2.1:25", 1000));
  aside.add("192.0.2.1:25", 1000);
  CHECK(aside.holds("192.0.2.1:25", 1000));
  CHECK(aside.holds("192.0.2.1:25", 1000 + kSetAsideSeconds - 1));
  CHECK_FALSE(aside.holds("192.0.2.1:25", 1000 + kSetAsideSeconds));
  CHECK_FALSE(aside.holds("192.0.2.1:26", 1000));
  aside.add("192.0.2.1:25", 1200);
  CHECK(aside.holds("192.0.2.1:25", 1200 + kSetAsideSeconds - 1));
  aside.remove("192.0.2.1:25");
  CHECK_FALSE(aside.holds("192.0.2.1:25", 1200));
}

TEST_CASE("what one process sets aside all know, and memory does not grow") {
  SetAside aside;
  const pid_t child = ::fork();
  if (child == 0) {
    aside.add("192.0.2.1:25", 1000);
    ::_exit(0);
  }
  REQUIRE(::waitpid(child, nullptr, 0) == child);
  CHECK(aside.holds("192.0.2.1:25", 1000));
  // The newest are kept.
  for (int i = 0; i < 100000; ++i) aside.add("x" + std::to_string(i), 2000 + i);
  int held = 0;
  for (int i = 90000; i < 100000; ++i) held += aside.holds("x" + std::to_string(i), 102000) ? 1 : 0;
  CHECK(held > 0);
  CHECK(aside.holds("x99999", 102000));
}
