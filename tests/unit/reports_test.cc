#include "queue/reports.h"

#include <doctest/doctest.h>

#include <string>

using namespace postern;
using namespace std::string_literals;

namespace {

// Outcomes as letters: d delivered, o passed on, e expanded, p permanent, t temporary, u unsubscribed, w held
// back.
std::string outcomes(std::string_view bytes, size_t recipients) {
  std::string letters;
  for (const RecipientReport& report : parse_reports(bytes, recipients)) {
    letters += "doeptuw"[static_cast<size_t>(report.outcome)];
  }
  return letters;
}

}  // namespace

TEST_CASE("each recipient has one outcome, and what is not said is temporary") {
  struct Row {
    std::string bytes;
    size_t recipients;
    std::string outcomes;
  };
  const Row rows[] = {
      {"rok\0Kok\0"s, 1, "d"},
      {"r\0K\0"s, 1, "d"},
      {"rok\0hno\0slater\0Kok\0"s, 3, "dpt"},
      {"pok\0eok\0rok\0hno\0slater\0Kok\0"s, 5, "oedpt"},
      {"pok\0eok\0Zbroken\0"s, 2, "tt"},
      {"u192.0.2.1\0u192.0.2.1\0K192.0.2.1\0"s, 2, "uu"},
      {"u192.0.2.1\0slater\0Zlater\0"s, 2, "tt"},
      {"u192.0.2.1\0"s, 1, "t"},
      {"rok\0w0 full\0Kok\0"s, 2, "dw"},
      {"w1000 full\0slater\0Zlater\0"s, 2, "wt"},
      {"w1000 full\0hno\0Z1000 full\0"s, 2, "wp"},
      {"w1000 full\0"s, 1, "w"},
      {"pok\0eok\0Dnever\0"s, 2, "pp"},
      {"pok\0Kok\0"s, 2, "tt"},
      {"eok\0"s, 1, "t"},
      {"rok\0rok\0Zbroken\0"s, 2, "tt"},
      {"rok\0hno\0Zbroken\0"s, 2, "tp"},
      {"rok\0slater\0hno\0Dnever\0"s, 3, "ptp"},
      {"slater\0DGiving up on host.\0"s, 1, "t"},
      {"Dnever\0"s, 2, "pp"},
      {"slater\0Dnever\0"s, 2, "tp"},
      {"Zlater\0"s, 2, "tt"},
      {"Kok\0"s, 1, "t"},
      {"Kok\0"s, 0, ""},
      {"rok\0Kok\0"s, 2, "tt"},
      {"rok\0rok\0Kok\0"s, 1, "t"},
      {"", 2, "tt"},
      {"rok\0"s, 1, "t"},
      {"rok\0Kok"s, 1, "t"},
      {"rok\0Kok\0rmore\0"s, 1, "d"},
      {"hno\0"s, 1, "p"},
      {"Kok\0rok\0"s, 1, "t"},
      {"\0Kok\0"s, 1, "t"},
      {"xwhat\0Kok\0"s, 1, "t"},
      {"rok\0Xwhat\0"s, 1, "t"},
      {"rok\0Dnever"s, 1, "t"},
      {"ok\n", 1, "t"},
      {std::string(1000, '\0'), 3, "ttt"},
      {std::string(1000, 'r'), 3, "ttt"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.bytes);
    CAPTURE(row.recipients);
    CHECK(outcomes(row.bytes, row.recipients) == row.outcomes);
  }
}

TEST_CASE("a report's text is what was said of that recipient, or of the message") {
  std::vector<RecipientReport> reports = parse_reports("r1\0h5.1.1 no\0s4.2.2 full\0Kok\0"s, 3);
  CHECK(reports[0].text == "1");
  CHECK(reports[1].text == "5.1.1 no");
  CHECK(reports[2].text == "4.2.2 full");
  reports = parse_reports("rok\0Zconnection broke\0"s, 1);
  CHECK(reports[0].text == "connection broke");
  reports = parse_reports("D5.1.2 no such host\0"s, 2);
  CHECK(reports[1].text == "5.1.2 no such host");
  for (const RecipientReport& report : parse_reports("rok\0"s, 3)) CHECK_FALSE(report.text.empty());
}

TEST_CASE("what was held back says for how long, and what makes no sense for a time that has an end") {
  CHECK(held_back_in("1000 4.4.5 full").wait == 1000);
  CHECK(held_back_in("1000 4.4.5 full").why == "4.4.5 full");
  CHECK(held_back_in("0").wait == 0);
  CHECK(held_back_in("0").why.empty());
  for (const char* text : {"", "soon 4.4.5 full", "-1 x", "99999999999999999999 x", "9999999999 x"}) {
    CAPTURE(text);
    CHECK(held_back_in(text).wait == 7200000);
  }
}
