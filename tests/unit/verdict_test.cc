#include "scanq/verdict.h"

#include <doctest/doctest.h>

#include <string>

using namespace postern;
using namespace std::string_literals;

TEST_CASE("a verdict is read line by line") {
  Result<std::vector<VerdictLine>> lines =
      parse_verdict("stop\ntag\tNAME\t\n?new verb\ta\\tb\\nc\\rd\\\\e\t\t\n");
  REQUIRE(lines.ok());
  REQUIRE(lines->size() == 3);
  CHECK((*lines)[0].verb == "stop");
  CHECK((*lines)[0].arguments.empty());
  CHECK_FALSE((*lines)[0].may_ignore);
  CHECK((*lines)[1].arguments == std::vector<std::string>{"NAME", ""});
  CHECK((*lines)[2].verb == "new verb");
  CHECK((*lines)[2].may_ignore);
  CHECK((*lines)[2].arguments == std::vector<std::string>{"a\tb\nc\rd\\e", "", ""});
  lines = parse_verdict("");
  REQUIRE(lines.ok());
  CHECK(lines->empty());
}

TEST_CASE("half a verdict is none") {
  for (const std::string& text :
       {"stop"s, "stop\nsto"s, "\n"s, "stop\n\n"s, "\tdrop\n"s, "?\n"s, "?\tx\n"s, "tag\ta\\\n"s,
        "tag\ta\\x\n"s, "tag\t\\0\n"s, "dr\\op\n"s, "tag\tA\tx\0RELAYCLIENT=\n"s, "\0\n"s, "stop\n\0"s}) {
    CAPTURE(text);
    Result<std::vector<VerdictLine>> lines = parse_verdict(text);
    REQUIRE_FALSE(lines.ok());
    CHECK_FALSE(lines.failure().permanent());
    CHECK(lines.failure().text.find('\n') == std::string::npos);
  }
}

TEST_CASE("what is written is read as the same, whatever bytes it holds") {
  std::string all_bytes;
  for (int byte = 1; byte < 256; ++byte) all_bytes += static_cast<char>(byte);
  for (const VerdictLine& line : {VerdictLine{"stop", {}, false}, VerdictLine{"log", {all_bytes}, false},
                                  VerdictLine{"drop", {"\n\ndrop\tx\n", "", "\\"}, true}}) {
    const std::string text = format_verdict_line(line);
    CHECK(text.find('\n') == text.size() - 1);
    Result<std::vector<VerdictLine>> lines = parse_verdict(text);
    REQUIRE(lines.ok());
    REQUIRE(lines->size() == 1);
    CHECK((*lines)[0].verb == line.verb);
    CHECK((*lines)[0].arguments == line.arguments);
    CHECK((*lines)[0].may_ignore == line.may_ignore);
  }
}
