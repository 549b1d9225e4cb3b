#include "receipt/helo_check.h"

#include <algorithm>
#include <array>

#include "lib/dns_text.h"
#include "lib/spf_address.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr const char* kStep = "helo";

Decision refused(std::string text, std::string why) {
  return refuse(kStep, {.code = "550", .status = "5.7.1", .text = std::move(text)}, std::move(why));
}

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::all_of(label.begin(), label.end(),
                     [](char c) { return is_letter_or_digit(c) || c == '-' || c == '_'; });
}

// Two labels or more, the last one not of digits: what DNS could know.
bool is_full_name(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  const std::vector<std::string_view> labels = split(name, '.');
  return labels.size() > 1 && name.size() <= 253 && std::all_of(labels.begin(), labels.end(), is_label) &&
         !parse_number(labels.back());
}

bool is_loopback(const SpfAddress& address) {
  constexpr std::array<uint8_t, 16> kV6Loopback = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  return address.ipv6 ? address.bytes == kV6Loopback : address.bytes[0] == 127;
}

// A program of this very host may call itself as this host is called.
bool is_from_here(const HeloFacts& facts) {
  const std::optional<SpfAddress> client = parse_spf_address(facts.client_ip);
  return !client || is_loopback(*client) || client == parse_spf_address(facts.local_ip);
}

// "[192.0.2.1]", "[IPv6:2001:db8::1]"
std::optional<SpfAddress> parse_literal(std::string_view name) {
  name = name.substr(1, name.size() - 2);
  const bool ipv6 = name.size() > 5 && equal_ignoring_case(name.substr(0, 5), "IPv6:");
  const std::optional<SpfAddress> address = parse_spf_address(ipv6 ? name.substr(5) : name);
  const bool has_colon = name.substr(ipv6 ? 5 : 0).find(':') != std::string_view::npos;
  return has_colon == ipv6 ? address : std::nullopt;
}

Decision check_literal(const HeloFacts& facts) {
  const std::optional<SpfAddress> address = parse_literal(facts.name);
  if (!address)
    return refused("HELO: that is no address in brackets",
                   "\"" + printable(facts.name, 80) + "\" is no address");
  if (address == parse_spf_address(facts.local_ip) && !is_from_here(facts))
    return refused("HELO: that is our address, not yours", facts.name + " is our own address");
  return pass(kStep, "an address in brackets");
}

Decision check_in_dns(const std::string& name, const AskDns& ask) {
  const std::optional<std::string> asked = dns_question_name(name);
  if (!asked) return refused("HELO: that is no host name", "\"" + printable(name, 80) + "\" can be no name");
  const Result<DnsAnswer> answer = ask({"mx", *asked});
  if (!answer) return pass(kStep, answer.failure().text);
  const bool missing = answer->outcome == DnsOutcome::nxdomain || answer->outcome == DnsOutcome::nodata ||
                       answer->outcome == DnsOutcome::invalid;
  if (missing)
    return refused("HELO: the DNS knows no such host",
                   printable(name, 100) + " has neither addresses nor MX");
  return pass(kStep, printable(name, 100) + " is in the DNS");
}

}  // namespace

Decision check_helo(const MailFlowPolicy& policy, const HeloFacts& facts, const AskDns& ask) {
  if (!policy.check_helo) return pass(kStep, "check_helo is off");
  if (facts.name.starts_with('[') && facts.name.ends_with(']') && facts.name.size() > 2)
    return check_literal(facts);
  if (parse_spf_address(facts.name))
    return refused("HELO: an address stands in brackets: [" + printable(facts.name, 50) + "]",
                   facts.name + " is an address without brackets");
  if (!is_full_name(facts.name))
    return refused("HELO: say your full host name",
                   "\"" + printable(facts.name, 80) + "\" is no full host name");
  std::string_view name = facts.name;
  if (name.ends_with('.')) name.remove_suffix(1);
  const bool ours = equal_ignoring_case(name, facts.me) || equal_ignoring_case(name, "localhost.localdomain");
  if (ours && !is_from_here(facts))
    return refused("HELO: that is our name, not yours", printable(facts.name, 100) + " is our own name");
  if (!policy.helo_dns) return pass(kStep, "a full host name");
  return check_in_dns(facts.name, ask);
}

}  // namespace postern
