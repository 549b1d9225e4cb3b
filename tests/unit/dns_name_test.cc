#include "dnsq/dns_name.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace postern;

namespace {
std::string round_trip(std::string_view text) {
  const std::optional<std::string> wire = parse_dns_name(text);
  return wire ? format_dns_name(*wire) : "(none)";
}
}  // namespace

TEST_CASE("a domain name comes back in lower case without the last dot") {
  struct Row {
    std::string text, expected;
  };
  const std::vector<Row> rows = {
      {"example.org", "example.org"},
      {"Mail.Example.ORG.", "mail.example.org"},
      {".", "."},
      {"_25._tcp.mx", "_25._tcp.mx"},
      {"a\\.b.c", "a\\046b.c"},
      {"a\\046b.c", "a\\046b.c"},
      {"\\000x", "\\000x"},
      {"with\\ blank", "with\\032blank"},
      {"", "(none)"},
      {"..", "(none)"},
      {"a..b", "(none)"},
      {".a", "(none)"},
      {"a b", "(none)"},
      {"a\nb", "(none)"},
      {std::string("a\0b", 3), "(none)"},
      {"\xc3\xa4.org", "(none)"},
      {"a\\", "(none)"},
      {"a\\25", "(none)"},
      {"a\\256", "(none)"},
      {std::string(63, 'a'), std::string(63, 'a')},
      {std::string(64, 'a'), "(none)"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(round_trip(row.text) == row.expected);
  }
}

TEST_CASE("a domain name has at most 255 bytes on the wire") {
  std::string name;
  for (int i = 0; i < 126; ++i) name += "a.";
  CHECK(parse_dns_name(name + "a").has_value());
  CHECK(!parse_dns_name(name + "aa").has_value());
}

TEST_CASE("a name cut short on the wire is none") {
  for (const std::string& bytes :
       {std::string("\3ab", 3), std::string("\3abc", 4), std::string(), std::string("\xc0\x0c", 2)}) {
    CAPTURE(bytes);
    std::string_view rest = bytes;
    CHECK(!take_wire_name(rest));
  }
}

TEST_CASE("addresses have names in the reverse zones") {
  CHECK(reverse_dns_name("192.0.2.1") == "1.2.0.192.in-addr.arpa");
  CHECK(reverse_dns_name("2001:db8::1") ==
        "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
  for (const std::string text : {"", "1.2.3", "1.2.3.4.5", "[1.2.3.4]", "example.org"}) {
    CAPTURE(text);
    CHECK(!reverse_dns_name(text));
  }
}
