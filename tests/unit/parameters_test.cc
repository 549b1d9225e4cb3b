#include "lib/parameters.h"

#include <doctest/doctest.h>

#include <string>

using namespace postern;
using namespace std::string_literals;

TEST_CASE("lines of a table have numbers, words, and no comments") {
  const std::string text = "# one\n\n a b=1\tc=2 \r\n#x\nlast";
  const std::vector<ParameterLine> lines = parameter_lines(text);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].number == 3);
  CHECK(lines[0].words == std::vector<std::string_view>{"a", "b=1", "c=2"});
  CHECK(lines[1].number == 5);
  CHECK(lines[1].words == std::vector<std::string_view>{"last"});
  CHECK(parameter_lines("").empty());
  CHECK(parameter_lines("\n\n").empty());
}

TEST_CASE("a number stands between its bounds, a switch and a name are of known words") {
  unsigned number = 7;
  for (const char* text : {"", "x", "0", "11", "-1", "1.5", "99999999999999999999"}) {
    CAPTURE(text);
    CHECK(number_parameter(text, 1, 10, number) == "it is a number from 1 to 10");
    CHECK(number == 7);
  }
  CHECK(number_parameter("10", 1, 10, number).empty());
  CHECK(number == 10);
  bool on = false;
  CHECK(switch_parameter("YES", on).empty());
  CHECK(on);
  CHECK(switch_parameter("maybe", on) == "it is one of on, off, yes, no, 1, 0");
  CHECK(on);
  std::string name = "kept";
  CHECK_FALSE(name_parameter("../x", name).empty());
  CHECK(name == "kept");
  CHECK(name_parameter("a-Z_0", name).empty());
  CHECK(name == "a-Z_0");
}
