#include "scanq/stages.h"

#include <doctest/doctest.h>

#include <string>

using namespace postern;

TEST_CASE("a stage line is a name, a program with its arguments, and options") {
  Result<std::vector<Stage>> stages = parse_stages({
      "antivirus @antivirus when=released",
      "my-stage_2\t/usr/local/bin/scan -v  --level=3 on-failure=pass timeout=240 direction=in,local x=y",
  });
  REQUIRE(stages.ok());
  REQUIRE(stages->size() == 2);
  const Stage& first = (*stages)[0];
  CHECK(first.name == "antivirus");
  CHECK(first.program == "@antivirus");
  CHECK(first.on_failure == OnFailure::defer);
  CHECK(first.timeout_seconds == 60);
  CHECK(first.when_released);
  const Stage& second = (*stages)[1];
  CHECK(second.program == "/usr/local/bin/scan -v --level=3 x=y");
  CHECK(second.on_failure == OnFailure::pass);
  CHECK((*parse_stages({"a @a on-failure=quarantine"}))[0].on_failure == OnFailure::quarantine);
  CHECK(second.timeout_seconds == 240);
  CHECK(second.directions == std::vector<std::string>{"in", "local"});
  CHECK_FALSE(second.when_released);
  CHECK(parse_stages({"none"})->empty());
  CHECK_FALSE(parse_stages({}).ok());  // more likely lost than meant
}

TEST_CASE("a stage runs in its directions, and on released messages only where it says so") {
  Result<std::vector<Stage>> stages =
      parse_stages({"a @a", "b @b direction=out", "c @c when=released direction=in"});
  REQUIRE(stages.ok());
  CHECK((*stages)[0].runs_in("in", false));
  CHECK((*stages)[0].runs_in("local", false));
  CHECK_FALSE((*stages)[0].runs_in("in", true));
  CHECK_FALSE((*stages)[1].runs_in("in", false));
  CHECK((*stages)[1].runs_in("out", false));
  CHECK((*stages)[2].runs_in("in", true));
  CHECK_FALSE((*stages)[2].runs_in("out", true));
  CHECK((*stages)[2].runs_in("in", false));
}

TEST_CASE("a wrong stage line is named, with the remedy") {
  struct Row {
    std::string line, remedy;
  };
  const Row rows[] = {
      {"antivirus", "a name and a program"},
      {"", "a name and a program"},
      {"Antivirus @antivirus", "a stage's name"},
      {"anti/../virus @antivirus", "a stage's name"},
      {"anti\x1b[2J @x", "a stage's name"},
      {std::string("a\0b @x", 6), "a stage's name"},
      {"a @a on-failure=ignore", "defer, pass or quarantine"},
      {"a @a on-failure=", "defer, pass or quarantine"},
      {"a @a timeout=0", "1 to 240"},
      {"a @a timeout=241", "1 to 240"},
      {"a @a timeout=-1", "1 to 240"},
      {"a @a timeout=18446744073709551617", "1 to 240"},
      {"a @a timeout=", "1 to 240"},
      {"a @a direction=", "in, out and local"},
      {"a @a direction=in,", "in, out and local"},
      {"a @a direction=inbound", "in, out and local"},
      {"a @a when=always", "released"},
      {"used @a", "of that name above"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.line);
    Result<std::vector<Stage>> stages = parse_stages({"used @x", row.line});
    REQUIRE_FALSE(stages.ok());
    CHECK(stages.failure().exit_code == 55);
    CHECK_FALSE(stages.failure().permanent());
    CHECK(stages.failure().text.starts_with("read control/stages: "));
    CHECK(stages.failure().text.find(row.remedy) != std::string::npos);
    CHECK(stages.failure().text.find('\x1b') == std::string::npos);
  }
}
