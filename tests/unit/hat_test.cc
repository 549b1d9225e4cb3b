#include "receipt/hat.h"

#include <doctest/doctest.h>

#include <map>

#include "receipt/hat_compile.h"
#include "receipt/hat_source.h"

using namespace postern;

namespace {

constexpr std::string_view kPolicies =
    "BLOCKED REJECT\nTHROTTLED ACCEPT max_connections=10\nACCEPTED ACCEPT\nTRUSTED ACCEPT anti_spam=off\n"
    "RELAYED RELAY\nLOOK CONTINUE\n";

CountryNetworks no_countries() {
  return [](const std::vector<std::string>& codes) -> Result<std::vector<AddressPrefix>> {
    if (codes.front() == "DE") return *parse_networks("198.51.100.0/24");
    if (codes.front() == "US") return std::vector<AddressPrefix>(4000000);
    return permanent("no database");
  };
}

Result<std::string> make(std::string_view text) {
  std::vector<std::string> warnings;
  Result<Policies> policies = parse_policies(kPolicies, "control/policies");
  REQUIRE(policies.ok());
  Result<std::vector<HatGroup>> groups = parse_hat(text, "control/hat", warnings);
  if (!groups) return groups.failure();
  return compile_hat(*groups, *policies, "control/hat", no_countries());
}

std::string failure_of(std::string_view text) {
  const Result<std::string> made = make(text);
  return made ? "" : made.failure().text;
}

struct World {
  std::optional<int> score{};
  HostName host{};
  std::map<std::string, std::vector<std::string>> lists{};
  std::string asked{};  // in order
};

HatMatch match(std::string_view text, std::string_view ip, World& world) {
  Result<std::string> bytes = make(text);
  REQUIRE_MESSAGE(bytes.ok(), failure_of(text));
  Result<HatTable> table = HatTable::of_bytes(*bytes, "t");
  REQUIRE(table.ok());
  const HatQuestions ask = {
      .score =
          [&] {
            world.asked += "score ";
            return world.score;
          },
      .host =
          [&] {
            world.asked += "host ";
            return world.host;
          },
      .list =
          [&](std::string_view zone) {
            world.asked.append(zone).append(" ");
            return DnsListing{world.lists[std::string(zone)]};
          },
  };
  Result<HatMatch> found = match_client(*table, *parse_address(ip), ask, true);
  REQUIRE_MESSAGE(found.ok(), found.failure().text);
  return *found;
}

// "GROUP ENTRY"
std::string matched(std::string_view text, std::string_view ip, World world = {}) {
  const HatMatch found = match(text, ip, world);
  return found.group + " " + found.entry;
}

}  // namespace

TEST_CASE("addresses are written in many ways") {
  struct Row {
    std::string entry, in, out;
  };
  const Row rows[] = {
      {"192.0.2.7", "192.0.2.7", "192.0.2.8"},
      {"192.0.2.", "192.0.2.255", "192.0.3.0"},
      {"192.0.2", "192.0.2.0", "192.0.1.255"},
      {"192.0.", "192.0.99.1", "192.1.0.0"},
      {"192", "192.255.0.1", "193.0.0.0"},
      {"192.0.2.5-9", "192.0.2.9", "192.0.2.10"},
      {"192.0.2.5-9", "192.0.2.5", "192.0.2.4"},
      {"192.0.2-7.", "192.0.7.255", "192.0.8.0"},
      {"192.0-3", "192.3.255.255", "192.4.0.0"},
      {"10-11", "11.255.255.255", "12.0.0.0"},
      {"192.0.2.250-192.0.3.4", "192.0.3.4", "192.0.3.5"},
      {"192.0.2.0/25", "192.0.2.127", "192.0.2.128"},
      {"192.0.2.77/25", "192.0.2.0", "192.0.2.128"},
      {"10.1/16", "10.1.255.255", "10.2.0.0"},
      {"0.0.0.0/0", "255.255.255.255", "::1"},
      {"2001:db8::1", "2001:db8:0:0::1", "2001:db8::2"},
      {"2001:db8::/33", "2001:db8:7fff::", "2001:db8:8000::"},
      {"2001:db8::5-2001:db8::ffff", "2001:db8::6", "2001:db8::1:0"},
      {"::/0", "2001:db8::1", "192.0.2.1"},
      {"192.0.2.7", "::ffff:192.0.2.7", "::192.0.2.7"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.entry);
    const std::string table = "G: " + row.entry + " $ACCEPTED\nALL: $BLOCKED\n";
    CHECK(matched(table, row.in) == "G " + row.entry);
    CHECK(matched(table, row.out) == "None ALL");
  }
}

TEST_CASE("the form of Cisco's file") {
  const std::string table =
      "# the guide's example\r\n"
      "WHITELIST: $TRUSTED\r\nBLACKLIST: $BLOCKED\n\nSUSPECTLIST:\n\t$THROTTLED\nUNKNOWNLIST: $ACCEPTED\n"
      "251.192.1. TCPREFUSE\n169.254.10.10 RELAY # ours\nsix: 2001:db8::1,2001:db8::2 (two, hosts) "
      "$ACCEPTED\n"
      "10.1.1.1\n10.1.1.2\nREJECT\nALL:$ACCEPTED\n";
  CHECK(matched(table, "251.192.1.9") == "None 251.192.1.");
  CHECK(matched(table, "169.254.10.10") == "None 169.254.10.10");
  CHECK(matched(table, "2001:db8::2") == "six 2001:db8::2");
  World world;
  const HatMatch found = match(table, "10.1.1.2", world);
  CHECK(found.policy.rule == AccessRule::reject);
  CHECK(found.policy.name.empty());
  CHECK(found.line == 12);
  CHECK(world.asked.empty());
  const HatMatch all = match(table, "10.1.1.3", world);
  CHECK(all.policy.name == "ACCEPTED");
  CHECK(all.policy_line == 3);
  CHECK(all.line == 14);
}

TEST_CASE("the first group from the top counts, whatever is more specific") {
  const std::string table =
      "WIDE: 10.0.0.0/8 $BLOCKED\nNARROW: 10.1.1.1 $TRUSTED\nLATER: ALL $THROTTLED\nNEVER: 11.1.1.1 ACCEPT\n";
  CHECK(matched(table, "10.1.1.1") == "WIDE 10.0.0.0/8");
  CHECK(matched(table, "11.1.1.1") == "LATER ALL");
  std::vector<std::string> warnings;
  REQUIRE(parse_hat(table, "f", warnings).ok());
  CHECK(warnings ==
        std::vector<std::string>{"f:4: this is never reached: line 3 stands for all clients; put it "
                                 "before that line"});
}

TEST_CASE("CONTINUE goes on, as a rule and as a policy's") {
  const std::string table = "A: 10.1.1.1 CONTINUE\nB: 10.1.1. $LOOK\nC: 10.1. $BLOCKED\nALL: CONTINUE\n";
  CHECK(matched(table, "10.1.1.1") == "C 10.1.");
  // Behind the end stands ALL: ACCEPT.
  World world;
  const HatMatch found = match(table, "11.1.1.1", world);
  CHECK(found.group + found.entry == "NoneALL");
  CHECK(found.line == 0);
  CHECK(found.policy.rule == AccessRule::accept);
}

TEST_CASE("scores") {
  const std::string table =
      "LOW: SBRS[-10:-3] $BLOCKED\nMID: sbrs[-3.0:-1.5] $THROTTLED\nNONE: SBRS[none] $ACCEPTED\nHIGH: "
      "SBRS[6:+10.0] $TRUSTED\n";
  const std::pair<std::optional<int>, std::string> rows[] = {
      {-100, "LOW SBRS[-10:-3]"},       {-30, "LOW SBRS[-10:-3]"},  {-29, "MID sbrs[-3.0:-1.5]"},
      {-15, "MID sbrs[-3.0:-1.5]"},     {-14, "None ALL"},          {0, "None ALL"},
      {100, "HIGH SBRS[6:+10.0]"},      {60, "HIGH SBRS[6:+10.0]"}, {59, "None ALL"},
      {std::nullopt, "NONE SBRS[none]"}};
  for (const auto& [score, expected] : rows) {
    const std::string tenths = score_text(score);
    CAPTURE(tenths);
    CHECK(matched(table, "192.0.2.1", {.score = score}) == expected);
  }
  for (const std::string text : {"", "-", "+", "11", "10.1", "1.", ".5", "1,5", "--1", "1e1", "none"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_score(text));
  }
  CHECK(score_text(parse_score("-0.5")) == "-0.5");
  CHECK(score_text(parse_score("3.29")) == "3.2");
}

TEST_CASE("names count only when they have the address") {
  const std::string table =
      "A: mail.example.org $TRUSTED\nB: .example.org B\xc3\xbc"
      "cher.example $ACCEPTED\nALL: $BLOCKED\n";
  const auto named = [&](std::string name, HostName::State state = HostName::State::verified) {
    return matched(table, "192.0.2.1", {.host = {.state = state, .names = {std::move(name)}}});
  };
  CHECK(named("mail.example.org") == "A mail.example.org");
  CHECK(named("x.mail.example.org") == "B .example.org");
  CHECK(named("example.org") == "None ALL");
  CHECK(named("badexample.org") == "None ALL");
  CHECK(named("xn--bcher-kva.example") ==
        "B B\xc3\xbc"
        "cher.example");
  CHECK(named("mail.example.org", HostName::State::differs) == "None ALL");
  CHECK(matched(table, "192.0.2.1",
                {.host = {.state = HostName::State::verified, .names = {"other.test", "a.example.org"}}}) ==
        "B .example.org");
}

TEST_CASE("what the DNS says of the connecting host") {
  const std::string table =
      "P: nx.domain $THROTTLED\nF: serv.fail $THROTTLED\nU: ptr.unresolved CONTINUE\nD: not.double.verified "
      "$BLOCKED\nALL: "
      "$ACCEPTED\n";
  using State = HostName::State;
  const std::pair<State, std::string> rows[] = {{State::no_ptr, "P nx.domain"},
                                                {State::ptr_fails, "F serv.fail"},
                                                {State::nowhere, "D not.double.verified"},
                                                {State::differs, "D not.double.verified"},
                                                {State::verified, "None ALL"}};
  for (const auto& [state, expected] : rows)
    CHECK(matched(table, "192.0.2.1", {.host = {.state = state}}) == expected);
}

TEST_CASE("DNS lists, with and without the answers that count") {
  const std::string table =
      "A: dnslist[one.example=127.0.0.9,127.0.0.4] $BLOCKED\nB: dnslist[two.example] $THROTTLED\nC: "
      "DNSLIST[one.example] "
      "$TRUSTED\n";
  const auto listed = [&](World world) { return matched(table, "192.0.2.1", std::move(world)); };
  CHECK(listed({}) == "None ALL");
  CHECK(listed({.lists = {{"one.example", {"127.0.0.2", "127.0.0.4"}}}}) ==
        "A dnslist[one.example=127.0.0.9,127.0.0.4]");
  CHECK(listed({.lists = {{"one.example", {"127.0.0.2"}}}}) == "C DNSLIST[one.example]");
  CHECK(listed({.lists = {{"two.example", {"127.0.0.2"}}}}) == "B dnslist[two.example]");
  World world{.lists = {{"one.example", {"127.0.0.2"}}}};
  CHECK(match(table, "192.0.2.1", world).dns_list == "one.example");
  CHECK(world.asked == "one.example two.example ");
}

TEST_CASE("nothing is asked before it is needed, and nothing twice") {
  const std::string table =
      "A: 10.1.1.1 SBRS[1:2] nx.domain dnslist[l.example] h.example $TRUSTED\nB: 10.1.1.2 $BLOCKED\nC: "
      "dnslist[l.example] SBRS[3:4] "
      "nx.domain $BLOCKED\nALL: $ACCEPTED\n";
  const auto asked = [&](std::string_view ip, World world = {}) {
    world.host.state = HostName::State::verified;
    match(table, ip, world);
    return world.asked;
  };
  CHECK(asked("10.1.1.1").empty());
  CHECK(asked("10.1.1.2") == "score host l.example ");
  CHECK(asked("10.1.1.3") == "score host l.example ");
  CHECK(asked("10.1.1.3", {.score = 10}) == "score ");
}

TEST_CASE("countries are networks of a database") {
  CHECK(matched("G: country[de] $BLOCKED\n", "198.51.100.9") == "G country[de]");
  CHECK(matched("G: country[de] $BLOCKED\n", "198.51.101.9") == "None ALL");
  CHECK(failure_of("G:\ncountry[fr] $BLOCKED\n") == "control/hat:2: \"country[fr]\": no database");
}

TEST_CASE("a bad line names itself, and the remedy") {
  const std::pair<std::string, std::string> rows[] = {
      {"A:\n10.0.0.256 REJECT", ":2: \"10.0.0.256\" is no address, range or network; write "},
      {"10.0.0.1.2 REJECT", ":1: \"10.0.0.1.2\" is no address"},
      {"10.9-3 REJECT", ":1: \"10.9-3\" is no address"},
      {"10.0.0.0/33 REJECT", "is no address"},
      {"1:2:3 REJECT", ":1: \"1:2:3\" is no address"},
      {"2001:db8::/129 REJECT", "is no address"},
      {"2001:db8::9-2001:db8::1 REJECT", "is no address"},
      {"10.0.0.1-2001:db8::1 REJECT", "is no address"},
      {"SBRS[1] REJECT", ":1: \"SBRS[1]\" is no range of scores; write SBRS[-4:-2]"},
      {"SBRS[2:1] REJECT", "is no range of scores"},
      {"SBRS[-11:1] REJECT", "is no range of scores"},
      {"SBRS[1:2 REJECT", "is not closed; put a ] behind it"},
      {"dnslist[] REJECT", "names no DNS list; write dnslist[zone.example]"},
      {"dnslist[a.b=x] REJECT", "has an answer that is no IPv4 address"},
      {"country[DEU] REJECT", "names no country; write its two letters"},
      {"what[x] REJECT", "is not known; write an address"},
      {"a..b REJECT", "is not known; write an address"},
      {"a_b! REJECT", "is not known; write an address"},
      {"\x01 REJECT", ":1: \"\\x01\" is not known"},
      {"A: 10.1.1.1\n\n", ":1: nothing says what becomes of the group A; write a policy"},
      {"A: 10.1.1.1\nB: 10.1.1.2 REJECT", ":1: nothing says what becomes of the group A"},
      {"10.1.1.1\n10.1.1.2\n", ":2: nothing says what becomes of these entries"},
      {"A: REJECT\na: REJECT", ":2: line 1 begins a group a too; join the two, or rename one"},
      {"A!: REJECT", ":1: \"A!\" is no name of a group"},
      {"$ACCEPTED", ":1: $ACCEPTED stands behind no group and no entry; write NAME:"},
      {"REJECT", ":1: an access rule stands behind no group and no entry"},
      {"A: $NOSUCH", ":1: control/policies has no policy NOSUCH; add a line for it"},
      {"A: $", ":1: \"$\" names no policy"},
      {"A: (open\nREJECT", ":1: a description is not closed; put a ) behind it"},
      {"A: " + std::string(600, 'a') + " REJECT", ":1: a word is longer than 512 bytes"},
  };
  for (const auto& row : rows) {
    const auto& text = row.first;
    const auto& problem = row.second;
    CAPTURE(text);
    const std::string got = failure_of(text);
    CAPTURE(got);
    CHECK(got.starts_with("control/hat:"));
    CHECK(got.find(problem) != std::string::npos);
  }
  CHECK(failure_of("").empty());
}

TEST_CASE("a table that a session of smtpd could not open is not made") {
  const Result<std::string> made = make("A: country[US] REJECT\nALL: ACCEPT\n");
  REQUIRE_FALSE(made.ok());
  CHECK(made.failure().permanent());
  CHECK(made.failure().text.find("larger than 64 MiB") != std::string::npos);
}

TEST_CASE("an owner of networks is understood, and matches nobody") {
  std::vector<std::string> warnings;
  REQUIRE(parse_hat("A: SBO:1234 REJECT", "f", warnings).ok());
  REQUIRE(warnings.size() == 1);
  CHECK(warnings[0].starts_with("f:1: \"SBO:1234\" matches nobody"));
  CHECK(matched("A: SBO:1234 REJECT", "10.1.1.1") == "None ALL");
}

TEST_CASE("a broken table is no table, wherever it is broken") {
  Result<std::string> bytes = make(
      "A: 10.0.0.0/8 2001:db8::1 h.example .g.example SBRS[1:2] dnslist[l.example] $TRUSTED\nALL: "
      "$BLOCKED\n");
  REQUIRE(bytes.ok());
  CHECK_FALSE(HatTable::of_bytes("", "t").ok());
  CHECK_FALSE(HatTable::of_bytes(std::string_view(*bytes).substr(0, bytes->size() - 1), "t").ok());
  const HatQuestions ask = {
      .score = [] { return std::nullopt; },
      .host = [] { return HostName{.state = HostName::State::verified, .names = {"h.example"}}; },
      .list = [](std::string_view) { return DnsListing{}; }};
  size_t failed = 0;
  for (size_t i = 0; i < bytes->size(); ++i) {
    for (const unsigned bits : {0x01U, 0x80U, 0xffU}) {
      std::string broken = *bytes;
      broken[i] = static_cast<char>(static_cast<unsigned char>(broken[i]) ^ bits);
      const Result<HatTable> table = HatTable::of_bytes(broken, "t");
      if (!table) {
        CHECK(table.failure().text == "read t: it is damaged; make it anew with postern-hat compile");
        ++failed;
        continue;
      }
      for (const char* ip : {"10.1.1.1", "192.0.2.1", "2001:db8::1"})
        failed += match_client(*table, *parse_address(ip), ask).ok() ? 0 : 1;
    }
  }
  CHECK(failed > 100);
}

TEST_CASE("every address of a hundred thousand entries is found") {
  std::string text = "BIG:\n";
  for (unsigned i = 0; i < 100000; ++i)
    text += "10." + std::to_string(i >> 16) + "." + std::to_string(i >> 8 & 255) + "." +
            std::to_string(i & 255) + "\n";
  text += "$TRUSTED\nALL: $BLOCKED\n";
  Result<std::string> bytes = make(text);
  REQUIRE(bytes.ok());
  Result<HatTable> table = HatTable::of_bytes(*bytes, "t");
  REQUIRE(table.ok());
  size_t found = 0;
  for (unsigned i = 0; i < 131072; ++i) {
    AddressKey key = *parse_address("10.0.0.0");
    key[13] = static_cast<unsigned char>(i >> 16);
    key[14] = static_cast<unsigned char>(i >> 8);
    key[15] = static_cast<unsigned char>(i);
    const std::vector<HatTable::Hit> hits = table->find_address(key);
    found += hits.empty() ? 0 : 1;
    if (i < 100000 && (hits.size() != 1 || table->entry(hits[0].entry).line != i + 2)) FAIL(i);
  }
  CHECK(found == 100000);
}
