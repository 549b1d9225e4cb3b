#include "dnsq/dns_file.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "dnsq/dns_record.h"

using namespace postern;

namespace {

constexpr std::string_view kFile =
    "; a comment\n"
    "Example.test. 60 IN MX 10 MX1.example.test.\n"
    "example.test MX 20 mx2.example.test\n"
    "example.test TXT \"v=spf1; \" \"a\\\"b\\009\" ; the strings\n"
    "mx1.example.test A 192.0.2.1\n"
    "mx1.example.test AAAA 2001:DB8:0::1\n"
    "alias.test CNAME alias2.test\n"
    "alias2.test CNAME example.test\n"
    "loop.test CNAME loop.test\n"
    "slow.test MX TIMEOUT\n"
    "dead.test ANY SERVFAIL\n"
    "none.test A NXDOMAIN\n"
    "forged.test A BOGUS\n"
    "\\065\\.b.test A 192.0.2.2\n"
    "x.test TYPE65 \\# 3 00FF 10\n"
    "_25._tcp.mx1.example.test TLSA 3 1 1 AB12\n";

DnsRrset answer(std::string_view name, std::string_view type) {
  static const std::unique_ptr<DnsFile> file = std::move(*DnsFile::parse(kFile, "test"));
  return file->answer(name, parse_dns_type(type).value());
}

}  // namespace

TEST_CASE("a DNS file answers what it holds, in one form") {
  struct Row {
    std::string name, type;
    DnsOutcome outcome;
    std::vector<std::string> data;
  };
  const std::vector<Row> rows = {
      {"example.test", "MX", DnsOutcome::found, {"10 mx1.example.test", "20 mx2.example.test"}},
      {"example.test", "TXT", DnsOutcome::found, {"\"v=spf1; \" \"a\\\"b\\009\""}},
      {"mx1.example.test", "AAAA", DnsOutcome::found, {"2001:db8::1"}},
      {"mx1.example.test", "MX", DnsOutcome::nodata, {}},
      {"unknown.test", "A", DnsOutcome::nxdomain, {}},
      {"test", "A", DnsOutcome::nxdomain, {}},
      {"alias.test", "MX", DnsOutcome::found, {"10 mx1.example.test", "20 mx2.example.test"}},
      {"alias.test", "A", DnsOutcome::nodata, {}},
      {"loop.test", "A", DnsOutcome::failed, {}},
      {"slow.test", "MX", DnsOutcome::failed, {}},
      {"slow.test", "A", DnsOutcome::nodata, {}},
      {"dead.test", "TXT", DnsOutcome::failed, {}},
      {"none.test", "A", DnsOutcome::nxdomain, {}},
      {"forged.test", "A", DnsOutcome::bogus, {}},
      {"a\\046b.test", "A", DnsOutcome::found, {"192.0.2.2"}},
      {"x.test", "TYPE65", DnsOutcome::found, {"\\# 3 00ff10"}},
      {"_25._tcp.mx1.example.test", "TLSA", DnsOutcome::found, {"3 1 1 ab12"}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.name);
    CAPTURE(row.type);
    const DnsRrset rrset = answer(row.name, row.type);
    CHECK(rrset.outcome == row.outcome);
    CHECK(rrset.data == row.data);
  }
  CHECK(answer("alias.test", "MX").canonical == "example.test");
  CHECK(answer("example.test", "MX").ttl == 3600);
  CHECK(answer("slow.test", "MX").security == DnsSecurity::failed);
}

TEST_CASE("a DNS file with a broken line is refused, and the line is named") {
  const std::vector<std::string> rows = {
      "example.test",
      "example.test MX",
      "example.test MX 10",
      "example.test MX 70000 a.test",
      "example.test MX x a.test",
      "example.test A 1.2.3",
      "example.test A 1.2.3.4 5.6.7.8",
      "example.test AAAA 1.2.3.4",
      "example.test TXT \"open",
      "example.test TXT \"" + std::string(256, 'x') + "\"",
      "example.test TXT a\\999",
      "example.test NOTYPE x",
      "example.test TYPE0 \\# 0",
      "example.test TYPE65 \\# 2 00",
      "example.test TLSA 3 1 1 xyz",
      "example.test ANY 1.2.3.4",
      "a..b A 1.2.3.4",
      std::string("a\0b A 1.2.3.4", 13),
      "\xff\xfe A 1.2.3.4",
  };
  for (const std::string& line : rows) {
    CAPTURE(line);
    const Result<std::unique_ptr<DnsFile>> file = DnsFile::parse("# first\n" + line + "\n", "f");
    REQUIRE(!file.ok());
    CHECK(file.failure().text.starts_with("f:2: "));
  }
}

TEST_CASE("wire data that breaks its type's form is shown in the generic form") {
  CHECK(format_dns_data(kTypeA, std::string_view("\1\2\3", 3)) == "\\# 3 010203");
  CHECK(format_dns_data(kTypeMx, std::string_view("\0\12\2mx\0", 6)) == "10 mx");
  CHECK(format_dns_data(kTypeMx, std::string_view("\0\12\2mx", 5)) == "\\# 5 000a026d78");
  CHECK(format_dns_data(kTypeTxt, std::string_view("\2ab\0", 4)) == "\"ab\" \"\"");
  CHECK(format_dns_data(kTypeTxt, "") == "\\# 0");
  CHECK(format_dns_data(65, "ab") == "\\# 2 6162");
}
