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
  for (const char* name : {"POSTERN_MID", "POSTERN_AUTH", "POSTERN_", "RELAYCLIENT", "DATABYTES",
                           "TCPREMOTEIP", "XPOSTERN_MID", "POSTERN", "RELAYCLIENTS", "postern_mid"}) {
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
  for (const char* name : {"POSTERN_MID", "TCPREMOTEIP", "RELAYCLIENT"}) environment.set(name, "kept");
  for (const char* name :
       {"PATH", "LD_PRELOAD", "IFS", "HOME", "BASH_ENV", "ENV", "XTCP", "", "tcpremoteip", "POSTERN_HOME",
        "POSTERN_QUEUE", "POSTERN_QUARANTINE_PROGRAM", "POSTERN_RELEASE_TO", "POSTERN_SPOOL"}) {
    environment.set(name, "evil");
  }
  const Environment carried = joint_variables(environment);
  CHECK(carried.pairs().size() == 3);
  for (const auto& tried : carried.pairs()) {
    const auto& name = tried.first;
    const auto& value = tried.second;
    CAPTURE(name);
    CHECK(value == "kept");
  }
}

TEST_CASE("a program that is started for a request has our environment and the request's joint variables") {
  ::setenv("POSTERN_UNIT_TEST", "of an earlier request", 1);
  ::setenv("UNIT_TEST", "ours", 1);
  Environment request;
  for (const char* name : {"LD_PRELOAD", "PATH", "UNIT_TEST", "POSTERN_HOME"}) request.set(name, "evil");
  request.set("POSTERN_MID", "17");
  const Environment child = child_environment(request);
  ::unsetenv("POSTERN_UNIT_TEST");
  ::unsetenv("UNIT_TEST");
  CHECK(child.get("POSTERN_MID") == "17");
  CHECK(child.get("UNIT_TEST") == "ours");
  CHECK_FALSE(child.get("POSTERN_UNIT_TEST").has_value());
  CHECK(child.get("PATH").has_value());
  for (const auto& tried : child.pairs()) {
    const auto& name = tried.first;
    const auto& value = tried.second;
    CAPTURE(name);
    CHECK(value != "evil");
  }
}

TEST_CASE("what is kept of a message is all that its stages ask for, and nothing of one request") {
  Environment environment;
  for (const char* name : {"POSTERN_MID", "POSTERN_HELO", "POSTERN_TAG_SEEN", "TCPLOCALPORT", "RELAYCLIENT"})
    environment.set(name, "kept");
  for (const char* name : {"POSTERN_EXTRAS", "POSTERN_RIDS", "POSTERN_DRYRUN", "POSTERN_DEFERRED",
                           "POSTERN_SPOOL", "POSTERN_HOME", "PATH"})
    environment.set(name, "dropped");
  const Environment kept = message_variables(environment);
  CHECK(kept.pairs().size() == 5);
  for (const auto& tried : kept.pairs()) {
    const auto& name = tried.first;
    const auto& value = tried.second;
    CAPTURE(name);
    CHECK(value == "kept");
  }
}
