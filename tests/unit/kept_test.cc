#include "queue/kept.h"

#include <doctest/doctest.h>

#include <string>

using namespace postern;

TEST_CASE("the queue keeps the variables that it names and no others") {
  Environment environment;
  for (const char* name : {"POSTERN_ICID", "POSTERN_HELO", "TCPREMOTEIP", "POSTERN_TLS_REQUIRED",
                           "POSTERN_SPF", "POSTERN_SPOOL", "POSTERN_QUEUE", "RELAYCLIENT", "PATH"}) {
    environment.set(name, "x");
  }
  environment.set("POSTERN_AUTH", std::string("a\0rforged", 9));
  const Environment kept = kept_variables(environment);
  CHECK(kept.pairs().size() == 5);
  CHECK(kept.get("POSTERN_ICID") == "x");
  CHECK(kept.get("POSTERN_TLS_REQUIRED") == "x");
  CHECK_FALSE(kept.get("POSTERN_SPOOL").has_value());
  CHECK_FALSE(kept.get("POSTERN_AUTH").has_value());
}

TEST_CASE("what a message was made of is kept only where it may be handed on again") {
  Environment environment;
  environment.set("POSTERN_WORK", "sets/5");
  CHECK_FALSE(kept_variables(environment).get("POSTERN_WORK").has_value());
  environment.set("POSTERN_DEFERRED", "1");
  CHECK(kept_variables(environment).get("POSTERN_WORK") == "sets/5");
  environment.unset("POSTERN_DEFERRED");
  environment.set("POSTERN_RELEASED", "Virus");
  CHECK(kept_variables(environment).get("POSTERN_WORK") == "sets/5");
}

TEST_CASE("tags are kept, as far as they travel well") {
  Environment environment;
  environment.set("POSTERN_TAG_KIND", "newsletter");
  environment.set("POSTERN_TAG_NUL", std::string("a\0b", 3));
  environment.set("POSTERN_TAG_LARGE", std::string(9000, 'x'));
  const Environment kept = kept_variables(environment);
  CHECK(kept.get("POSTERN_TAG_KIND") == "newsletter");
  CHECK(kept.pairs().size() == 1);
}
