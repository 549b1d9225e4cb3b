#include "lib/idn.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace postern;

TEST_CASE(
    "domains in U-labels become A-labels, others only lower-case, and what is no domain fails for good") {
  struct Row {
    std::string domain, expected;
  };
  const std::vector<Row> rows = {
      {"example.org", "example.org"},
      {"EXAMPLE.org", "example.org"},
      {"[192.0.2.1]", "[192.0.2.1]"},
      {"", ""},
      {"a..b", "a..b"},
      {"b\xc3\xbc"
       "cher.example",
       "xn--bcher-kva.example"},
      {"B\xc3\x9c"
       "CHER.example",
       "xn--bcher-kva.example"},
      {"bu\xcc\x88"
       "cher.example",
       "xn--bcher-kva.example"},
      {"stra\xc3\x9f"
       "e.example",
       "xn--strae-oqa.example"},
      {".m\xc3\xbcnchen.example", ".xn--mnchen-3ya.example"},
      {"b\xc3\xbc"
       "cher.M\xc3\xbcnchen.example",
       "xn--bcher-kva.xn--mnchen-3ya.example"},
      {"\xe4\xbe\x8b\xe3\x81\x88.\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88", "xn--r8jz45g.xn--zckzah"},
      {"\xc3\xbc" + std::string(60, 'a'), "(5.1.2)"},
      {".\xc3", "(5.1.2)"},
      {"\xff.example", "(5.1.2)"},
      {"\xc3\xa4..example", "xn--4ca..example"},
      {std::string("\xc3\xa4\0.example", 11), "(5.1.2)"},
      {"\xc3\xa4 b.example", "(5.1.2)"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.domain);
    const Result<std::string> made = a_labels(row.domain);
    CHECK((made ? *made : "(" + made.failure().status + ")") == row.expected);
    if (!made) CHECK(made.failure().permanent());
  }
}
