#include "remote/targets.h"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

#include "remote/report.h"

using namespace postern;

namespace {

DnsHost host(unsigned preference, const std::string& name, const std::vector<std::string>& v4,
             DnsOutcome v6 = DnsOutcome::nodata) {
  DnsHost result{preference, name, {}};
  result.addresses.push_back({"A", name, name, DnsSecurity::insecure, 60,
                              v4.empty() ? DnsOutcome::nodata : DnsOutcome::found, v4, ""});
  result.addresses.push_back({"AAAA", name, name, DnsSecurity::insecure, 60, v6, {}, ""});
  return result;
}

DnsAnswer answer_with(DnsOutcome outcome, std::vector<DnsHost> hosts) {
  return {"mx", "example.test", outcome, {}, std::move(hosts)};
}

RemoteSettings settings() {
  RemoteSettings result;
  result.me = "mx.us.test";
  result.port = 2525;
  return result;
}

std::string text_of(const Result<std::vector<Target>>& targets) {
  if (!targets)
    return (targets.failure().permanent() ? "permanent " : "temporary ") + targets.failure().status;
  std::string text;
  for (const Target& target : *targets) text += target_text(target) + " ";
  return text;
}

}  // namespace

TEST_CASE("mail hosts are tried by preference, without ourselves and what is not better") {
  const std::vector<std::string> own = {"192.0.2.99"};
  struct Row {
    DnsAnswer answer;
    std::string expected;
  };
  const std::vector<Row> rows = {
      {answer_with(DnsOutcome::found,
                   {host(10, "a", {"192.0.2.1", "192.0.2.2"}), host(20, "b", {"192.0.2.3"})}),
       "a[192.0.2.1]:2525 a[192.0.2.2]:2525 b[192.0.2.3]:2525 "},
      {answer_with(DnsOutcome::found, {host(10, "a", {"192.0.2.1"}), host(20, "MX.us.test", {"192.0.2.8"}),
                                       host(20, "c", {"192.0.2.4"}), host(30, "b", {"192.0.2.3"})}),
       "a[192.0.2.1]:2525 "},
      {answer_with(DnsOutcome::found, {host(10, "a", {"192.0.2.99"}), host(20, "b", {"192.0.2.3"})}),
       "permanent 5.4.6"},
      {answer_with(DnsOutcome::implicit, {host(0, "example.test", {"192.0.2.1"})}),
       "example.test[192.0.2.1]:2525 "},
      {answer_with(DnsOutcome::found, {host(10, "a", {}, DnsOutcome::failed), host(20, "b", {"192.0.2.3"})}),
       "b[192.0.2.3]:2525 "},
      {answer_with(DnsOutcome::found, {host(10, "a", {}, DnsOutcome::failed), host(20, "b", {})}),
       "temporary 4.4.3"},
      {answer_with(DnsOutcome::found, {host(10, "a", {}, DnsOutcome::bogus)}), "temporary 4.4.3"},
      {answer_with(DnsOutcome::found, {host(10, "a", {}), host(20, "b", {})}), "permanent 5.4.4"},
      {answer_with(DnsOutcome::null_mx, {}), "permanent 5.1.10"},
      {answer_with(DnsOutcome::nxdomain, {}), "permanent 5.1.2"},
      {answer_with(DnsOutcome::nodata, {host(0, "example.test", {})}), "permanent 5.1.2"},
      {answer_with(DnsOutcome::invalid, {}), "permanent 5.1.2"},
      {answer_with(DnsOutcome::failed, {}), "temporary 4.4.3"},
      {answer_with(DnsOutcome::bogus, {}), "temporary 4.4.3"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.expected);
    CHECK(text_of(targets_of_mx(row.answer, settings(), own)) == row.expected);
  }
}

TEST_CASE("loopback, unspecified and IPv4-mapped addresses are this host unless control/notipme has them") {
  const std::vector<std::string> own = {"192.0.2.99", "2001:db8::99"};
  RemoteSettings some = settings();
  some.not_own_addresses = {"127.0.0.5", "::ffff:127.0.0.6", "2001:DB8:0::7"};
  struct Row {
    std::string address;
    bool ours;
  };
  const std::vector<Row> rows = {
      {"127.0.0.1", true},
      {"127.0.0.2", true},
      {"127.255.255.255", true},
      {"0.0.0.0", true},
      {"0.1.2.3", true},
      {"::", true},
      {"::1", true},
      {"0:0:0:0:0:0:0:1", true},
      {"::ffff:127.0.0.2", true},
      {"::FFFF:7f00:2", true},
      {"::ffff:0.0.0.0", true},
      {"::ffff:192.0.2.99", true},
      {"192.0.2.99", true},
      {"2001:db8:0::99", true},
      {"127.0.0.5", false},
      {"::ffff:127.0.0.5", false},
      {"127.0.0.6", false},
      {"2001:db8::7", false},
      {"192.0.2.1", false},
      {"::ffff:192.0.2.1", false},
      {"128.0.0.1", false},
      {"2001:db8::1", false},
      {"::2", false},
      {"", false},
      {"127.0.0.1 x\xff", false},
      {"127.1", false},
  };
  for (const Row& row : rows) {
    CAPTURE(row.address);
    CHECK(is_own_address(row.address, some, own) == row.ours);
  }
  const DnsAnswer loop =
      answer_with(DnsOutcome::found, {host(10, "a", {"127.0.0.2"}), host(20, "b", {"192.0.2.3"})});
  CHECK(text_of(targets_of_mx(loop, settings(), own)) == "permanent 5.4.6");
}

TEST_CASE("a literal of this host is a loop, and a route to one is the operator's will") {
  const NextHop none;
  NextHop route;
  route.way = NextHop::Way::smtp;
  route.host = "127.0.0.2";
  CHECK(text_of(find_targets("[127.0.0.2]", none, settings())) == "permanent 5.4.6");
  CHECK(text_of(find_targets("[IPv6:::1]", none, settings())) == "permanent 5.4.6");
  CHECK(text_of(find_targets("[IPv6:::ffff:127.0.0.2]", none, settings())) == "permanent 5.4.6");
  CHECK(text_of(find_targets("[192.0.2.1]", none, settings())) == "192.0.2.1[192.0.2.1]:2525 ");
  CHECK(text_of(find_targets("example.test", route, settings())) == "127.0.0.2[127.0.0.2]:2525 ");
}

TEST_CASE("addresses come in the order of control/ipfamilies, and those of no family in it are not used") {
  DnsHost both = host(10, "a", {"192.0.2.1"});
  both.addresses.push_back(both.addresses.front());
  both.addresses.back().type = "AAAA";
  both.addresses.back().data = {"2001:db8::1"};
  const DnsAnswer answer = answer_with(DnsOutcome::found, {both, host(20, "b", {"192.0.2.2"})});
  const std::string a4 = "a[192.0.2.1]:2525 ", a6 = "a[2001:db8::1]:2525 ", b4 = "b[192.0.2.2]:2525 ";
  RemoteSettings some = settings();
  CHECK(text_of(targets_of_mx(answer, some, {})) == a6 + a4 + b4);
  some.families = {IpFamily::v4, IpFamily::v6};
  CHECK(text_of(targets_of_mx(answer, some, {})) == a4 + a6 + b4);
  some.families = {IpFamily::v6};
  CHECK(text_of(targets_of_mx(answer, some, {})) == a6);
  CHECK(text_of(targets_of_mx(answer_with(DnsOutcome::found, {host(20, "b", {"192.0.2.2"})}), some, {})) ==
        "temporary 4.4.4");
}

TEST_CASE("a mail host whose CNAME leads to this host's name is this host") {
  DnsHost alias = host(10, "alias", {"192.0.2.1"});
  alias.addresses.front().canonical = "MX.us.test";
  CHECK(text_of(targets_of_mx(answer_with(DnsOutcome::found, {alias, host(10, "b", {"192.0.2.2"})}),
                              settings(), {})) == "permanent 5.4.6");
}

TEST_CASE("of many mail hosts twenty addresses are tried") {
  std::vector<DnsHost> hosts;
  for (unsigned i = 0; i < 32; ++i)
    hosts.push_back(host(i, "h" + std::to_string(i), {"192.0.2." + std::to_string(i)}));
  const Result<std::vector<Target>> targets =
      targets_of_mx(answer_with(DnsOutcome::found, hosts), settings(), {});
  REQUIRE(targets.ok());
  CHECK(targets->size() == 20);
  CHECK(targets->back().host == "h19");
}

TEST_CASE("hosts of equal preference take turns at being first") {
  const DnsAnswer answer =
      answer_with(DnsOutcome::found,
                  {host(10, "a", {"192.0.2.1"}), host(10, "b", {"192.0.2.2"}), host(20, "c", {"192.0.2.3"})});
  std::set<std::string> first;
  for (int i = 0; i < 200; ++i) {
    const Result<std::vector<Target>> targets = targets_of_mx(answer, settings(), {});
    REQUIRE(targets->size() == 3);
    first.insert(targets->front().host);
    CHECK(targets->back().host == "c");
  }
  CHECK(first == std::set<std::string>{"a", "b"});
}

TEST_CASE("reports are one a recipient and one for the message, and fit into a reply") {
  const auto text = [](const std::vector<RecipientResult>& results) {
    std::string bytes = format_reports(results);
    for (char& c : bytes) c = c == '\0' ? '|' : c;
    return bytes;
  };
  CHECK(text({{'r', "yes"}, {'h', "no"}, {'s', "later"}}) == "ryes|hno|slater|Kyes|");
  CHECK(text({{'h', "no"}, {'s', "later"}}) == "hno|slater|Zlater|");
  CHECK(text({{'h', "no"}}) == "hno|Dno|");
  CHECK(text({{'h', "no"}, {'w', "1000 full"}}) == "hno|w1000 full|Z1000 full|");
  CHECK(text({{'h', "no"}, {'p', "passed on"}, {'s', "later"}}) == "hno|ppassed on|slater|Kpassed on|");
  CHECK(text({}) == "D5.5.4 no recipients|");
  for (const size_t count : {size_t{1}, size_t{100}, size_t{6000}}) {
    CAPTURE(count);
    CHECK(format_reports(std::vector<RecipientResult>(count, {'r', std::string(5000, 'x')})).size() <= 65536);
  }
}
