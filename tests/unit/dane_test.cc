#include "remote/dane.h"

#include <doctest/doctest.h>

#include <map>

using namespace postern;

namespace {

const std::string kRecord = "3 1 1 " + std::string(64, 'a');
const std::string kUseless = "1 1 1 " + std::string(64, 'a');
constexpr DnsSecurity kSecure = DnsSecurity::secure;
constexpr DnsSecurity kInsecure = DnsSecurity::insecure;

DnsRrset rrset(const std::string& type, const std::string& name, DnsSecurity security, DnsOutcome outcome,
               const std::vector<std::string>& data = {}, const std::string& canonical = "") {
  const bool bad = is_temporary(outcome);
  if (bad) security = outcome == DnsOutcome::bogus ? DnsSecurity::bogus : DnsSecurity::failed;
  return {
      type, name, canonical.empty() ? name : canonical, security, 60, outcome, data, bad ? "because" : ""};
}

// A mail host of example.test: mx.example.test, its address secure.
struct Case {
  DnsAnswer how{"mx",
                "example.test",
                DnsOutcome::found,
                {rrset("MX", "example.test", kSecure, DnsOutcome::found, {"10 mx.example.test"})},
                {}};
  DnsHost host{10,
               "mx.example.test",
               {rrset("A", "mx.example.test", kSecure, DnsOutcome::found, {"192.0.2.1"}),
                rrset("AAAA", "mx.example.test", kSecure, DnsOutcome::nodata)}};
  std::map<std::string, DnsRrset> zone;  // by "TYPE NAME"; else securely no such name
  std::string asked;

  void put(const DnsRrset& entry) { zone[entry.type + " " + entry.name] = entry; }
  void put_tlsa(const std::string& name, const std::vector<std::string>& data) {
    put(rrset("TLSA", name, kSecure, DnsOutcome::found, data));
  }
  DaneResult find(uint16_t port = 25) {
    return find_dane(how, host, port, [&](std::string_view type, const std::string& name) {
      const std::string key = std::string(type) + " " + name;
      asked += key + ";";
      const auto found = zone.find(key);
      return found != zone.end() ? found->second
                                 : rrset(std::string(type), name, kSecure, DnsOutcome::nxdomain);
    });
  }
  void set_addresses(DnsSecurity security, DnsOutcome outcome, const std::string& canonical = "") {
    for (DnsRrset& one : host.addresses) {
      if (one.type == "A") one = rrset("A", host.name, security, outcome, {"192.0.2.1"}, canonical);
      if (one.type == "AAAA") one = rrset("AAAA", host.name, security, DnsOutcome::nodata, {}, canonical);
    }
  }
};

std::string text_of(const DaneResult& result) {
  std::string text(outcome_word(result.outcome));
  for (const std::string& name : result.names) text += " " + name;
  return text;
}

const std::string kTlsa = "_25._tcp.mx.example.test";

}  // namespace

TEST_CASE("secure records: usable ones, and none that can be used") {
  Case usable;
  usable.put_tlsa(kTlsa, {kRecord, kUseless});
  const DaneResult result = usable.find();
  CHECK(text_of(result) == "usable mx.example.test example.test");
  CHECK(result.tlsa.size() == 1);
  CHECK(result.records.size() == 2);
  CHECK(result.tlsa_name == kTlsa);
  CHECK(usable.asked == "TLSA " + kTlsa + ";");

  Case unusable;
  unusable.put_tlsa(kTlsa, {kUseless});
  CHECK(text_of(unusable.find()) == "unusable mx.example.test example.test");
  CHECK(unusable.find().tlsa.empty());
}

// What is known of the MX records, or of the host's addresses, and what comes of it.
struct LeadRow {
  DnsSecurity security;
  DnsOutcome outcome;
  DaneResult::Outcome expected;
  bool asks;
};

static void check_row(Case& one, const LeadRow& row) {
  const DaneResult result = one.find();
  CAPTURE(result.why);
  CHECK(result.outcome == row.expected);
  CHECK(one.asked.empty() == !row.asks);
}

TEST_CASE("each outcome of the MX lookup") {
  using Outcome = DaneResult::Outcome;
  const std::vector<LeadRow> rows = {
      {kSecure, DnsOutcome::found, Outcome::usable, true},
      {kSecure, DnsOutcome::nodata, Outcome::usable, true},
      {kInsecure, DnsOutcome::found, Outcome::not_applicable, false},
      {kInsecure, DnsOutcome::nodata, Outcome::not_applicable, false},
      {kSecure, DnsOutcome::bogus, Outcome::failed, false},
      {kSecure, DnsOutcome::failed, Outcome::failed, false},
  };
  for (const LeadRow& row : rows) {
    Case one;
    one.put_tlsa(kTlsa, {kRecord});
    one.how.rrsets = {rrset("MX", "example.test", row.security, row.outcome)};
    check_row(one, row);
  }
  Case nothing;  // an answer that does not say what it is made of proves nothing
  nothing.how.rrsets.clear();
  CHECK(nothing.find().outcome == Outcome::not_applicable);
}

TEST_CASE("each outcome of the address lookup") {
  using Outcome = DaneResult::Outcome;
  const std::vector<LeadRow> rows = {
      {kSecure, DnsOutcome::found, Outcome::usable, true},
      {kInsecure, DnsOutcome::found, Outcome::not_applicable, false},
      {kSecure, DnsOutcome::bogus, Outcome::failed, false},
      {kSecure, DnsOutcome::failed, Outcome::failed, false},
      {kSecure, DnsOutcome::nodata, Outcome::not_applicable, false},
  };
  for (const LeadRow& row : rows) {
    Case one;
    one.put_tlsa(kTlsa, {kRecord});
    one.set_addresses(row.security, row.outcome);
    check_row(one, row);
  }
}

TEST_CASE("one family's secure address is enough, whatever becomes of the other's lookup") {
  for (const DnsOutcome other : {DnsOutcome::bogus, DnsOutcome::failed, DnsOutcome::found}) {
    Case one;
    one.put_tlsa(kTlsa, {kRecord});
    one.host.addresses[1] = one.host.addresses[0];
    one.host.addresses[1].type = "AAAA";
    one.host.addresses[0] = rrset("A", one.host.name, kInsecure, other, {"192.0.2.1"});
    CHECK(one.find().outcome == DaneResult::Outcome::usable);
  }
}

TEST_CASE("each outcome of the TLSA lookup") {
  struct Row {
    DnsSecurity security;
    DnsOutcome outcome;
    DaneResult::Outcome expected;
  };
  using Outcome = DaneResult::Outcome;
  const std::vector<Row> rows = {
      {kSecure, DnsOutcome::found, Outcome::usable},
      {kSecure, DnsOutcome::nodata, Outcome::absent},
      {kSecure, DnsOutcome::nxdomain, Outcome::absent},
      {kInsecure, DnsOutcome::found, Outcome::not_applicable},
      {kInsecure, DnsOutcome::nodata, Outcome::not_applicable},
      {kInsecure, DnsOutcome::nxdomain, Outcome::not_applicable},
      {kSecure, DnsOutcome::bogus, Outcome::failed},
      {kSecure, DnsOutcome::failed, Outcome::failed},
  };
  for (const Row& row : rows) {
    Case one;
    one.put(rrset("TLSA", kTlsa, row.security, row.outcome, {kRecord}));
    const DaneResult result = one.find();
    CAPTURE(result.why);
    CHECK(result.outcome == row.expected);
    CHECK(result.tlsa_name == kTlsa);
    if (row.expected != Outcome::usable) CHECK(result.tlsa.empty());
    if (row.expected == Outcome::failed) CHECK(result.why.find("because") != std::string::npos);
  }
}

TEST_CASE("behind secure CNAMEs the host's last name is the base domain, then its first") {
  const std::string last = "_25._tcp.real.other.test";
  const auto make = [] {
    Case one;
    one.set_addresses(kSecure, DnsOutcome::found, "real.other.test");
    return one;
  };
  Case expanded = make();
  expanded.put_tlsa(last, {kRecord});
  expanded.put_tlsa(kTlsa, {kRecord});
  CHECK(text_of(expanded.find()) == "usable real.other.test example.test");
  CHECK(expanded.asked == "TLSA " + last + ";");

  Case original = make();
  original.put_tlsa(kTlsa, {kRecord});
  CHECK(text_of(original.find()) == "usable mx.example.test example.test");
  CHECK(original.asked == "TLSA " + last + ";TLSA " + kTlsa + ";");

  Case neither = make();
  CHECK(neither.find().outcome == DaneResult::Outcome::absent);

  // Records that are there are those that count, also where none of them can be used.
  Case unusable = make();
  unusable.put_tlsa(last, {kUseless});
  unusable.put_tlsa(kTlsa, {kRecord});
  CHECK(text_of(unusable.find()) == "unusable real.other.test example.test");

  Case broken = make();
  broken.put(rrset("TLSA", last, kSecure, DnsOutcome::failed));
  broken.put_tlsa(kTlsa, {kRecord});
  CHECK(broken.find().outcome == DaneResult::Outcome::failed);

  Case island = make();  // the last name's _tcp is in a zone that is not signed
  island.put(rrset("TLSA", last, kInsecure, DnsOutcome::found, {kRecord}));
  island.put_tlsa(kTlsa, {kRecord});
  CHECK(text_of(island.find()) == "usable mx.example.test example.test");
}

TEST_CASE("behind an insecure CNAME chain the host's own name is the base domain if its CNAME is secure") {
  const auto make = [] {
    Case one;
    one.set_addresses(kInsecure, DnsOutcome::found, "real.plain.test");
    one.put_tlsa(kTlsa, {kRecord});
    one.put_tlsa("_25._tcp.real.plain.test", {kRecord});
    return one;
  };
  Case secure = make();
  secure.put(rrset("CNAME", "mx.example.test", kSecure, DnsOutcome::found, {"real.plain.test"}));
  CHECK(text_of(secure.find()) == "usable mx.example.test example.test");
  CHECK(secure.asked == "CNAME mx.example.test;TLSA " + kTlsa + ";");

  Case insecure = make();
  insecure.put(rrset("CNAME", "mx.example.test", kInsecure, DnsOutcome::found, {"real.plain.test"}));
  CHECK(insecure.find().outcome == DaneResult::Outcome::not_applicable);
  CHECK(insecure.asked == "CNAME mx.example.test;");

  for (const DnsOutcome outcome : {DnsOutcome::bogus, DnsOutcome::failed}) {
    Case broken = make();
    broken.put(rrset("CNAME", "mx.example.test", kSecure, outcome));
    CHECK(broken.find().outcome == DaneResult::Outcome::failed);
  }
}

TEST_CASE("where the domain's own CNAMEs lead is a reference name too") {
  Case one;
  one.put_tlsa(kTlsa, {kRecord});
  one.how.rrsets = {rrset("MX", "example.test", kSecure, DnsOutcome::found, {}, "hosted.test")};
  CHECK(text_of(one.find()) == "usable mx.example.test example.test hosted.test");
}

TEST_CASE("a domain without MX is its own host") {
  Case one;
  one.how.outcome = DnsOutcome::implicit;
  one.how.rrsets = {rrset("MX", "example.test", kSecure, DnsOutcome::nodata)};
  one.host.name = "example.test";
  one.set_addresses(kSecure, DnsOutcome::found);
  one.put_tlsa("_25._tcp.example.test", {kRecord});
  CHECK(text_of(one.find()) == "usable example.test");
}

TEST_CASE("a host that the operator names is asked for by its own addresses, at its own port") {
  Case one;
  one.how = {"ip", "relay.test", DnsOutcome::found, {}, {}};
  one.host.name = "relay.test";
  one.set_addresses(kSecure, DnsOutcome::found);
  one.put_tlsa("_587._tcp.relay.test", {kRecord});
  CHECK(text_of(one.find(587)) == "usable relay.test");
  CHECK(one.find(25).outcome == DaneResult::Outcome::absent);
  one.set_addresses(kSecure, DnsOutcome::found, "real.test");
  one.put_tlsa("_587._tcp.real.test", {kRecord});
  CHECK(text_of(one.find(587)) == "usable real.test relay.test");
  one.set_addresses(kInsecure, DnsOutcome::found);
  CHECK(one.find(587).outcome == DaneResult::Outcome::not_applicable);
}

TEST_CASE("an address is never asked for") {
  Case one;
  one.how = {};
  one.host = {};
  CHECK(one.find().outcome == DaneResult::Outcome::not_applicable);
  CHECK(one.asked.empty());
}

TEST_CASE("what is kept of how a host was found leads to the same result") {
  Case one;
  one.put_tlsa(kTlsa, {kRecord});
  one.how.hosts = {one.host, one.host};
  const DaneLead lead = dane_lead(one.how, one.host);
  CHECK(lead.how.hosts.empty());
  one.how = lead.how;
  one.host = lead.host;
  CHECK(text_of(one.find()) == "usable mx.example.test example.test");
}

TEST_CASE("a DNS service that does not answer leaves a secure host unused") {
  Case one;
  const DaneResult result = look_up_dane("/nowhere/postern-dnsq", one.how, one.host, 25, 0);
  CHECK(result.outcome == DaneResult::Outcome::failed);
  one.set_addresses(kInsecure, DnsOutcome::found);
  CHECK(look_up_dane("/nowhere/postern-dnsq", one.how, one.host, 25, 0).outcome ==
        DaneResult::Outcome::not_applicable);
}
