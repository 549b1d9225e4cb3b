// parts: receipt/hat.cc receipt/hat_table.cc receipt/hat_compile.cc receipt/hat_source.cc
// parts: receipt/hat_entry.cc receipt/policies.cc receipt/address_prefix.cc
//
// control/hat and control/policies, and a compiled table that somebody has changed. The first byte chooses.
// Of text: what is wrong with it names a file and a line, and a table made of it puts every client into the
// group that the text says. Of a table: no answer comes from outside of it.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/text.h"
#include "receipt/hat.h"
#include "receipt/hat_compile.h"
#include "tests/fuzz/must.h"

using namespace postern;

namespace {

constexpr const char* kClients[] = {"192.0.2.1", "10.1.1.1", "2001:db8::1", "::", "255.255.255.255"};

HatQuestions answers() {
  return {.score = [] { return std::optional<int>(-35); },
          .host = [] { return HostName{.state = HostName::State::verified, .names = {"a.example.org"}}; },
          .list = [](std::string_view) { return DnsListing{{"127.0.0.2"}}; }};
}

// Does any entry of the group hold, by the text alone?
bool holds(const HatGroup& group, const AddressKey& address) {
  for (const HatEntry& entry : group.entries) {
    bool does = entry.kind == HatKind::all || entry.kind == HatKind::dns_list;
    if (entry.kind == HatKind::score) does = entry.lowest <= -35 && -35 <= entry.highest;
    if (entry.kind == HatKind::name)
      does = entry.name == "a.example.org" || entry.name == ".example.org" || entry.name == ".org";
    if (entry.kind == HatKind::dns_list && !entry.values.empty()) {
      does = false;
      for (const std::string& value : entry.values) does = does || value == "127.0.0.2";
    }
    for (const AddressPrefix& network : entry.networks)
      does = does || (is_in(address, network) && (network.bits >= kIpv4Bits || !is_ipv4(address)));
    if (does) return true;
  }
  return false;
}

void try_text(std::string_view text) {
  const size_t cut = text.find('\0');
  const Result<Policies> policies =
      parse_policies(cut == std::string_view::npos ? "ACCEPTED ACCEPT\n" : text.substr(cut + 1), "p");
  if (!policies) {
    must(policies.failure().permanent() && policies.failure().text.starts_with("p:"));
    return;
  }
  for (const PolicyLine& line : policies->lines) must(make_policy(line).ok());
  std::vector<std::string> warnings;
  const Result<std::vector<HatGroup>> groups = parse_hat(text.substr(0, cut), "f", warnings);
  if (!groups) {
    must(groups.failure().permanent() && groups.failure().text.starts_with("f:"));
    return;
  }
  const CountryNetworks none = [](const std::vector<std::string>&) { return std::vector<AddressPrefix>(); };
  const Result<std::string> bytes = compile_hat(*groups, *policies, "f", none);
  if (!bytes) {
    must(bytes.failure().text.starts_with("f:"));
    return;
  }
  const Result<HatTable> table = HatTable::of_bytes(*bytes, "t");
  must(table.ok());
  for (const char* client : kClients) {
    const AddressKey address = *parse_address(client);
    const Result<HatMatch> match = match_client(*table, address, answers());
    must(match.ok());
    const HatGroup* expected = nullptr;
    for (const HatGroup& group : *groups) {
      const AccessRule rule = group.policy.empty() ? group.rule : policies->find(group.policy)->rule;
      if (rule == AccessRule::go_on || !holds(group, address)) continue;
      expected = &group;
      break;
    }
    const std::string name =
        expected == nullptr || expected->name.empty() || expected->name == "ALL" ? "None" : expected->name;
    must(match->group == name);
    must((match->line == 0) == (expected == nullptr));
  }
}

void try_table(std::string_view bytes) {
  // Where records may stand.
  const std::string aligned(bytes);
  const Result<HatTable> table = HatTable::of_bytes(aligned, "t");
  if (!table) return;
  for (const char* client : kClients) {
    const Result<HatMatch> match = match_client(*table, *parse_address(client), answers(), true);
    must(match.ok() || match.failure().permanent() == match.failure().text.starts_with("use the policy"));
  }
  (void)match_by_policy(*table, "ACCEPTED").ok();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] == 'b') {
    try_table(text);
  } else {
    try_text(text);
  }
  return 0;
}
