#include "lib/text.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace postern;
using namespace std::string_literals;

TEST_CASE("what is printed of foreign bytes is one line of printable ASCII") {
  struct Row {
    std::string bytes, safe;
  };
  const Row rows[] = {
      {"", ""},
      {"plain text ~", "plain text ~"},
      {"a\nInfo: forged\r", "a\\x0aInfo: forged\\x0d"},
      {"\\x0a", "\\x5cx0a"},
      {"nul\0nul"s, "nul\\x00nul"},
      {"\x7f\x80\xff\x1b[2J", "\\x7f\\x80\\xff\\x1b[2J"},
      {"\xc3\xa4", "\\xc3\\xa4"},
      {"\t", "\\x09"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.bytes);
    CHECK(printable(row.bytes) == row.safe);
  }
  for (int byte = 0; byte < 256; ++byte) {
    for (const char c : printable(std::string(1, static_cast<char>(byte)))) CHECK((c >= 0x20 && c <= 0x7e));
  }
}

TEST_CASE("a byte is two hexadecimal digits, small ones unless told") {
  CHECK(hexadecimal("").empty());
  CHECK(hexadecimal(std::string("\0\x0f\xa5\xff", 4)) == "000fa5ff");
  CHECK(hexadecimal("\xa5", kCapitalHex) == "A5");
}

TEST_CASE("printable text is cut by bytes of input, and says so") {
  CHECK(printable("abcdef", 6) == "abcdef");
  CHECK(printable("abcdefg", 6) == "abcdef...");
  CHECK(printable("\n\n\n", 2) == "\\x0a\\x0a...");
  CHECK(printable("a", 0) == "...");
  CHECK(printable("", 0).empty());
  CHECK(printable(std::string(100000, '\n')).size() == 512 * 4 + 3);
}

TEST_CASE("letter case is ASCII's alone") {
  CHECK(lower("AZaz09[`{\xc4") == "azaz09[`{\xc4");
  CHECK(lower("A\0B"s) == "a\0b"s);
  CHECK(equal_ignoring_case("Example.ORG", "eXAMPLE.org"));
  CHECK(equal_ignoring_case("", ""));
  CHECK_FALSE(equal_ignoring_case("a", "ab"));
  CHECK_FALSE(equal_ignoring_case("\xc4", "\xe4"));
  CHECK_FALSE(equal_ignoring_case("[", "{"));
}

TEST_CASE("blanks and line ends are trimmed at both ends, and nothing else") {
  struct Row {
    std::string text, trimmed;
  };
  const Row rows[] = {{"", ""},        {" \t\r\n", ""},  {" a b ", "a b"},  {"\r\nx\r\n", "x"},
                      {"\0 "s, "\0"s}, {"\v\f", "\v\f"}, {"\xa0x", "\xa0x"}};
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(trim(row.text) == row.trimmed);
  }
}

TEST_CASE("a number is decimal digits and nothing else") {
  struct Row {
    std::string text;
    std::optional<uint64_t> number;
  };
  const Row rows[] = {
      {"0", 0},
      {"007", 7},
      {"18446744073709551615", UINT64_MAX},
      {"18446744073709551616", std::nullopt},
      {"99999999999999999999999999", std::nullopt},
      {"", std::nullopt},
      {" 1", std::nullopt},
      {"1 ", std::nullopt},
      {"+1", std::nullopt},
      {"-1", std::nullopt},
      {"0x10", std::nullopt},
      {"1e3", std::nullopt},
      {"1.0", std::nullopt},
      {"1\n", std::nullopt},
      {"1\0"s, std::nullopt},
      {"\0"s, std::nullopt},
      {"\xd9\xa1", std::nullopt},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(parse_number(row.text) == row.number);
  }
}

TEST_CASE("split keeps empty parts, words drops them") {
  using Parts = std::vector<std::string_view>;
  CHECK(split("", ',') == Parts{""});
  CHECK(split(",", ',') == Parts{"", ""});
  CHECK(split("a,,b", ',') == Parts{"a", "", "b"});
  CHECK(split("a\0b"s, '\0').size() == 2);
  CHECK(words("").empty());
  CHECK(words(" \t ").empty());
  CHECK(words(" a\t\tb c ") == Parts{"a", "b", "c"});
  CHECK(words("a\nb") == Parts{"a\nb"});
}

TEST_CASE("a control file's lines are trimmed, without comments and empty ones") {
  using Parts = std::vector<std::string_view>;
  CHECK(control_lines("").empty());
  CHECK(control_lines("\n\n#x\n  # y\n").empty());
  CHECK(control_lines(" a \r\nb#c\n\n d") == Parts{"a", "b#c", "d"});
  CHECK(control_lines(std::string(1000, '\n')).empty());
}

TEST_CASE("an address is taken apart at its last at sign") {
  struct Row {
    std::string address, local_part, domain;
  };
  const Row rows[] = {
      {"a@Example.ORG", "a", "example.org"},
      {"\"a@b\"@c", "\"a@b\"", "c"},
      {"a@", "a", ""},
      {"@b", "", "b"},
      {"postmaster", "postmaster", ""},
      {"", "", ""},
      {"@@@", "@@", ""},
      {"a@b\0c"s, "a", "b\0c"s},
  };
  for (const Row& row : rows) {
    CAPTURE(row.address);
    CHECK(local_part_of(row.address) == row.local_part);
    CHECK(domain_of(row.address) == row.domain);
  }
}

TEST_CASE("dates are those of RFC 5322, in UTC") {
  struct Row {
    uint64_t seconds;
    const char* date;
  };
  const Row rows[] = {
      {0, "Thu, 01 Jan 1970 00:00:00 +0000"},          {1136214245, "Mon, 02 Jan 2006 15:04:05 +0000"},
      {951782400, "Tue, 29 Feb 2000 00:00:00 +0000"},  {2147483648, "Tue, 19 Jan 2038 03:14:08 +0000"},
      {4102444799, "Thu, 31 Dec 2099 23:59:59 +0000"},
  };
  for (const Row& row : rows) CHECK(rfc5322_date(row.seconds) == row.date);
  CHECK(now_microseconds() > 1600000000ULL * 1000000);
}

TEST_CASE("an age has a unit, or is in seconds") {
  CHECK(parse_age("0") == 0);
  CHECK(parse_age("90") == 90);
  CHECK(parse_age("90s") == 90);
  CHECK(parse_age("15m") == 900);
  CHECK(parse_age("2h") == 7200);
  CHECK(parse_age("3d") == 259200);
  CHECK(parse_age("1w") == 604800);
  for (const std::string& bad : {""s, "m"s, "-1"s, "1 h"s, "1y"s, "1hh"s, "1.5h"s, "99999999999999999999"s,
                                 "9999999999999999999w"s, "\0"s}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_age(bad));
  }
}
