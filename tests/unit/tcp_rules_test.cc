#include "receipt/tcp_rules.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

#include "tests/unit/scratch.h"

using namespace postern;

namespace {

std::string compiled(const Scratch& scratch, const std::string& rules) {
  const std::string cdb = scratch.path("rules.cdb");
  const std::string text = scratch.write("rules", rules);
  REQUIRE(std::system(("tcprules " + cdb + " " + cdb + ".tmp < " + text).c_str()) == 0);
  return cdb;
}

}  // namespace

TEST_CASE("rules are found as tcpserver finds them") {
  const Scratch scratch;
  const std::string cdb = compiled(scratch,
                                   "192.0.2.7:deny\n"
                                   "192.0.2.:allow,A=\"net\"\n"
                                   "10.:allow,RELAYCLIENT=\"\"\n"
                                   "::1:allow,A=\"six\",B=\"b=c\"\n"
                                   ":allow,A=\"rest\"\n");
  const auto first = [&](std::string_view address) {
    Result<TcpRule> rule = find_tcp_rule(cdb, address);
    REQUIRE(rule.ok());
    if (rule->deny) return std::string("denied");
    return rule->variables.empty() ? std::string()
                                   : rule->variables[0].first + "=" + rule->variables[0].second;
  };
  CHECK(first("192.0.2.7") == "denied");
  CHECK(first("192.0.2.77") == "A=net");
  CHECK(first("192.0.3.7") == "A=rest");
  CHECK(first("10.9.8.7") == "RELAYCLIENT=");
  CHECK(first("100.9.8.7") == "A=rest");
  CHECK(first("::1") == "A=six");
  CHECK(first("2001:db8::1") == "A=rest");
}

TEST_CASE("each rule denies the addresses that tcprulescheck denies by it, IPv6 prefixes too") {
  const Scratch scratch;
  const std::string output = scratch.path("checked");
  size_t denied = 0;
  for (const std::string rule : {"",
                                 "192.",
                                 "192.0.2.",
                                 "192.0.2",
                                 "192.0.2.7",
                                 "192.0.2.1-8",
                                 "2001:",
                                 "2001:db8:",
                                 "2001:db8::",
                                 "2001:db8",
                                 "2001:db8:7:",
                                 "2001:0db8:",
                                 "2001:db8::/32",
                                 "192.0.2.0/24",
                                 "::",
                                 ":",
                                 "::1",
                                 "::ffff:",
                                 "::ffff:192.",
                                 "=.example.org",
                                 "=host.example.org",
                                 "=",
                                 "user@192.0.2.7",
                                 "@192.0.2.7"}) {
    const std::string cdb = compiled(scratch, rule + ":deny\n");
    for (const std::string address : {"192.0.2.7", "192.0.2.77", "10.9.8.7", "::1", "2001:db8::1",
                                      "2001:db8:7::1", "2001:db80::1", "fe80::192", "::ffff:192.0.2.7"}) {
      CAPTURE(rule);
      CAPTURE(address);
      const std::string command = "TCPREMOTEIP=" + address + " tcprulescheck " + cdb + " > " + output;
      REQUIRE(std::system(command.c_str()) == 0);
      const bool theirs = scratch.read("checked").find("deny connection") != std::string::npos;
      const Result<TcpRule> ours = find_tcp_rule(cdb, address);
      REQUIRE(ours.ok());
      CHECK(ours->deny == theirs);
      denied += theirs ? 1 : 0;
    }
  }
  CHECK(denied > 20);
}

TEST_CASE("a rule that names the client is believed") {
  const Result<TcpRule> rule = parse_tcp_rule(std::string_view("+TCPREMOTEHOST=a.example\0", 25));
  REQUIRE(rule.ok());
  REQUIRE(rule->variables.size() == 2);
  CHECK(rule->variables[1].first == kHostVerified);
}

TEST_CASE("no rule at all allows, a database that cannot be read does not") {
  const Scratch scratch;
  const Result<TcpRule> none = find_tcp_rule(compiled(scratch, "10.:deny\n"), "192.0.2.1");
  REQUIRE(none.ok());
  CHECK_FALSE(none->deny);
  CHECK(none->variables.empty());
  const Result<TcpRule> missing = find_tcp_rule(scratch.path("missing.cdb"), "192.0.2.1");
  REQUIRE_FALSE(missing.ok());
  CHECK_FALSE(missing.failure().permanent());
  CHECK(find_tcp_rule(scratch.path("missing.cdb"), "192.0.2.1", NoRules::allow).ok());
  const std::string cut = scratch.write("cut.cdb", "not a cdb");
  CHECK_FALSE(find_tcp_rule(cut, "192.0.2.1").ok());
  CHECK_FALSE(find_tcp_rule(cut, "192.0.2.1", NoRules::allow).ok());
}

TEST_CASE("instructions that do not end are not followed") {
  CHECK_FALSE(parse_tcp_rule("+A=b").ok());
  const Result<TcpRule> rule = parse_tcp_rule(std::string_view("+NAME=a=b\0+odd\0D\0", 17));
  REQUIRE(rule.ok());
  CHECK(rule->deny);
  REQUIRE(rule->variables.size() == 1);
  CHECK(rule->variables[0].second == "a=b");
}
