#include "queue/kept.h"

#include <doctest/doctest.h>

#include <string>

using namespace postern;

TEST_CASE("the queue keeps the variables that it names and no others") {
  Environment environment;
  for (const char* name : {"POSTERN_ICID", "POSTERN_HELO", "TCPREMOTEIP", "POSTERN_SPOOL", "POSTERN_QUEUE",
                           "RELAYCLIENT", "PATH"}) {
    environment.set(name, "x");
  }
  environment.set("POSTERN_AUTH", std::string("a\0rforged", 9));
  const Environment kept = kept_variables(environment);
  CHECK(kept.pairs().size() == 3);
  CHECK(kept.get("POSTERN_ICID") == "x");
  CHECK_FALSE(kept.get("POSTERN_SPOOL").has_value());
  CHECK_FALSE(kept.get("POSTERN_AUTH").has_value());
}
