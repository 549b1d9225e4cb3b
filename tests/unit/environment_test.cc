#include "lib/environment.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <string>

using namespace postern;

TEST_CASE("a variable is set once, replaced and taken away") {
  Environment environment;
  CHECK_FALSE(environment.get("A").has_value());
  CHECK(environment.get_or("A", "otherwise") == "otherwise");
  environment.set("A", "1");
  environment.set("B", "");
  environment.set("A", "2");
  CHECK(environment.get("A") == "2");
  CHECK(environment.get("B") == "");
  CHECK(environment.get_or("B", "otherwise").empty());
  CHECK(environment.pairs().size() == 2);
  CHECK_FALSE(environment.get("a").has_value());
  CHECK_FALSE(environment.get("").has_value());
  environment.unset("A");
  environment.unset("not there");
  CHECK_FALSE(environment.get("A").has_value());
}

TEST_CASE("the process's own variables are read as they are") {
  ::setenv("POSTERN_TEST_VALUE", "a=b = c", 1);
  CHECK(Environment::of_process().get("POSTERN_TEST_VALUE") == "a=b = c");
  ::unsetenv("POSTERN_TEST_VALUE");
  CHECK_FALSE(Environment::of_process().get("POSTERN_TEST_VALUE").has_value());
}

TEST_CASE("what only trusted callers may say is taken away altogether") {
  Environment environment;
  for (const char* name : {"POSTERN_MID", "POSTERN_AUTH", "POSTERN_", "RELAYCLIENT", "DATABYTES", "TCPREMOTEIP",
                           "XPOSTERN_MID", "POSTERN", "RELAYCLIENTS", "postern_mid"}) {
    environment.set(name, "x");
  }
  environment.remove_trusted();
  for (const char* name : {"POSTERN_MID", "POSTERN_AUTH", "POSTERN_", "RELAYCLIENT", "DATABYTES"}) {
    CAPTURE(name);
    CHECK_FALSE(environment.get(name).has_value());
  }
  CHECK(environment.get("TCPREMOTEIP") == "x");
  CHECK(environment.pairs().size() == 5);
}

TEST_CASE("a request carries what the joints name and nothing that could steer a program") {
  Environment environment;
  for (const char* name : {"POSTERN_MID", "TCPREMOTEIP", "RELAYCLIENT", "PATH", "LD_PRELOAD", "IFS", "HOME",
                           "BASH_ENV", "XTCP", "", "tcpremoteip"}) {
    environment.set(name, "x");
  }
  const Environment carried = joint_variables(environment);
  CHECK(carried.pairs().size() == 3);
  for (const char* name : {"LD_PRELOAD", "PATH", "IFS", "HOME", "BASH_ENV", "XTCP", ""}) {
    CAPTURE(name);
    CHECK_FALSE(carried.get(name).has_value());
  }
}
