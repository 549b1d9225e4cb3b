#include "lib/destinations.h"

#include <doctest/doctest.h>

#include <string>

using namespace postern;

namespace {

Destinations parsed(const char* text) {
  Result<Destinations> table = Destinations::parse(text, "control/destinations");
  REQUIRE(table.ok());
  return std::move(*table);
}

}  // namespace

TEST_CASE("without a table a destination has what is built in") {
  const Destinations none;
  const Destination& any = none.of("example.org");
  CHECK(any.max_host_concurrency == 500);
  CHECK(any.max_messages_per_connection == 50);
  CHECK(any.recipient_limit == 0);
  CHECK(any.table_tls == TlsLevel::dane);
}

TEST_CASE("a line says what differs from DEFAULT, wherever that stands; the nearest line counts") {
  const Destinations table = parsed(
      "# a comment\n\n"
      "Example.ORG max_host_concurrency=5\n"
      ".example.org table_tls=required\n"
      ".deep.example.org bounce_profile=patient ip_sort_pref=REQUIRE_v4\n"
      "DEFAULT max_host_concurrency=7 max_messages_per_connection=9 bounce_validation=on\n");
  CHECK(table.of("EXAMPLE.org").max_host_concurrency == 5);
  CHECK(table.of("example.org").max_messages_per_connection == 9);
  CHECK(table.of("example.org").table_tls == TlsLevel::dane);
  CHECK(table.of("a.example.org").table_tls == TlsLevel::encrypt);
  CHECK(table.of("a.example.org").max_host_concurrency == 7);
  CHECK(table.of("a.deep.example.org").bounce_profile == "patient");
  CHECK(table.of("a.deep.example.org").ip_sort_pref == IpSort::require_v4);
  CHECK(table.of("other.example").bounce_validation);
}

TEST_CASE("Postfix's and Cisco's words for TLS") {
  for (const auto& tried : {std::pair{"off", TlsLevel::off},
                            {"none", TlsLevel::off},
                            {"may", TlsLevel::may},
                            {"on", TlsLevel::may},
                            {"encrypt", TlsLevel::encrypt},
                            {"required", TlsLevel::encrypt},
                            {"dane", TlsLevel::dane},
                            {"dane-only", TlsLevel::dane_only},
                            {"verify", TlsLevel::verify},
                            {"secure", TlsLevel::secure}}) {
    const std::string word = tried.first;
    CAPTURE(word);
    CHECK(parsed(("a.example table_tls=" + word).c_str()).of("a.example").table_tls == tried.second);
  }
  CHECK(tls_level_name(TlsLevel::dane_only) == "dane-only");
  CHECK(tls_level_name(TlsLevel::may) == "may");
}

TEST_CASE("what is wrong in the table is said with its line and the remedy") {
  struct Row {
    const char* text;
    const char* says;
  };
  const Row rows[] = {
      {"a.example limit=3\n", "line 1: \"limit=3\" is no PARAMETER=VALUE with one of ip_sort_pref,"},
      {"a.example off\n", "line 1: \"off\" is no PARAMETER=VALUE"},
      {"\n\na.example max_host_concurrency=0\n", "line 3: max_host_concurrency=0: it is a number from 1 to"},
      {"a.example recipient_minutes=61\n", "line 1: recipient_minutes=61: it is a number from 1 to 60"},
      {"a.example table_tls=maybe\n", "line 1: table_tls=maybe: it is one of off, may, encrypt,"},
      {"a.example certificate=../x\n", "line 1: certificate=../x: it is a name of"},
      {"a.example\na.EXAMPLE\n", "line 2: there is a line for it before"},
      {"DEFAULT\nDEFAULT\n", "line 2: there is a line for DEFAULT before it"},
      {"a@b max_host_concurrency=1\n", "line 1: \"a@b\" is neither DEFAULT, DOMAIN nor .DOMAIN"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const Result<Destinations> table = Destinations::parse(row.text, "control/destinations");
    REQUIRE_FALSE(table.ok());
    CHECK_FALSE(table.failure().permanent());
    CHECK(table.failure().text.find(std::string("read control/destinations ") + row.says) == 0);
  }
}

TEST_CASE("domains are compared by their A-labels") {
  const Destinations table = parsed(
      "b\xc3\xbc"
      "cher.test table_tls=secure\n"
      ".xn--bcher-kva.example table_tls=encrypt\n");
  for (const char* name : {"b\xc3\xbc"
                           "cher.test",
                           "xn--bcher-kva.test",
                           "B\xc3\x9c"
                           "CHER.TEST",
                           "XN--BCHER-KVA.test"})
    CHECK(table.of(name).table_tls == TlsLevel::secure);
  CHECK(table
            .of("mx.b\xc3\xbc"
                "cher.example")
            .table_tls == TlsLevel::encrypt);
  CHECK(table
            .of("b\xc3\xbc"
                "cher.example")
            .table_tls == TlsLevel::dane);
  for (const char* wrong :
       {"x.test. table_tls=may", "a..b table_tls=may", ". table_tls=may", "a@b table_tls=may",
        "b\xc3\xbc"
        "cher.test table_tls=may\nxn--bcher-kva.test table_tls=off"})
    CHECK_FALSE(Destinations::parse(wrong, "control/destinations").ok());
}
