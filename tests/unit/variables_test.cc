#include "lib/variables.h"

#include <doctest/doctest.h>

using namespace postern;

TEST_CASE("a variable is a whole word of letters, and two dollar signs are one") {
  struct Row {
    const char* text;
    const char* expanded;
  };
  const Row rows[] = {
      {"", ""},
      {"no variable", "no variable"},
      {"$Name", "[n]"},
      {"$Name.", "[n]."},
      {"$Names", "$Names"},
      {"$$Name", "$Name"},
      {"$$$Name", "$[n]"},
      {"5 $ and $5", "5 $ and $5"},
      {"$", "$"},
      {"$Name$Name", "[n][n]"},
      {"$Dollar", "$Name"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(expand_variables(row.text, {{"Name", "[n]"}, {"Dollar", "$Name"}}) == row.expanded);
  }
  CHECK(unknown_variable("$Name $$Other $5 $", {"Name"}).empty());
  CHECK(unknown_variable("$Name $Other", {"Name"}) == "Other");
  CHECK(unknown_variable("$Names", {"Name"}) == "Names");
}
