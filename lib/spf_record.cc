#include "lib/spf_record.h"

#include <algorithm>
#include <array>
#include <utility>

#include "lib/spf_macro.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr std::string_view kVersion = "v=spf1";
constexpr std::string_view kQualifiers = "+-?~";

constexpr std::array<std::pair<std::string_view, SpfMechanism>, 8> kMechanisms = {{
    {"all", SpfMechanism::all},
    {"include", SpfMechanism::include},
    {"a", SpfMechanism::a},
    {"mx", SpfMechanism::mx},
    {"ptr", SpfMechanism::ptr},
    {"ip4", SpfMechanism::ip4},
    {"ip6", SpfMechanism::ip6},
    {"exists", SpfMechanism::exists},
}};

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// ALPHA *( ALPHA / DIGIT / "-" / "_" / "." ) at the beginning of the text.
size_t name_length(std::string_view text) {
  if (text.empty() || !is_letter(text.front())) return 0;
  const auto end = std::find_if_not(text.begin(), text.end(), [](char c) {
    return is_letter(c) || is_digit(c) || c == '-' || c == '_' || c == '.';
  });
  return static_cast<size_t>(end - text.begin());
}

// "24" behind a slash: no sign, no zero in front.
std::optional<unsigned> parse_prefix(std::string_view digits, unsigned most) {
  if (digits.empty() || (digits.size() > 1 && digits.front() == '0')) return std::nullopt;
  const std::optional<uint64_t> number = parse_number(digits);
  if (!number || *number > most) return std::nullopt;
  return static_cast<unsigned>(*number);
}

// Takes SLASHES and the digits behind them off the end, where they stand there; false: the number is none.
bool take_prefix(std::string_view& text, std::string_view slashes, unsigned most, unsigned& prefix) {
  size_t digits = 0;
  while (digits < text.size() && is_digit(text[text.size() - 1 - digits])) ++digits;
  const std::string_view before = text.substr(0, text.size() - digits);
  if (digits == 0 || !before.ends_with(slashes)) return true;
  if (slashes.size() == 1 && before.ends_with("//")) return false;
  const std::optional<unsigned> number = parse_prefix(text.substr(before.size()), most);
  if (!number) return false;
  prefix = *number;
  text = before.substr(0, before.size() - slashes.size());
  return true;
}

// [":" domain-spec] [ip4-cidr] ["/" ip6-cidr]
bool parse_host_rest(std::string_view rest, SpfTerm& term) {
  if (!take_prefix(rest, "//", 128, term.prefix6) || !take_prefix(rest, "/", 32, term.prefix4)) return false;
  if (rest.empty()) return true;
  term.domain_spec = rest.substr(1);
  return rest.front() == ':' && is_spf_domain_spec(term.domain_spec);
}

bool parse_network_rest(std::string_view rest, bool ipv6, SpfTerm& term) {
  if (!take_prefix(rest, "/", ipv6 ? 128 : 32, ipv6 ? term.prefix6 : term.prefix4)) return false;
  if (!rest.starts_with(':')) return false;
  rest.remove_prefix(1);
  const std::optional<SpfAddress> network = parse_spf_address(rest);
  if (!network) return false;
  term.network = *network;
  // An IPv4 address written as an IPv6 one is no ip4: address, and an ip6: one that matches nobody.
  return ipv6 == (rest.find(':') != std::string_view::npos);
}

bool parse_mechanism(std::string_view text, SpfTerm& term) {
  term.text = text;
  if (kQualifiers.find(text.front()) != std::string_view::npos) {
    term.qualifier = text.front();
    text.remove_prefix(1);
  }
  const std::string_view name = text.substr(0, name_length(text));
  const std::string_view rest = text.substr(name.size());
  const auto known = std::find_if(kMechanisms.begin(), kMechanisms.end(), [&](const auto& mechanism) {
    return equal_ignoring_case(mechanism.first, name);
  });
  if (known == kMechanisms.end()) return false;
  term.mechanism = known->second;
  switch (term.mechanism) {
    case SpfMechanism::all:
      return rest.empty();
    case SpfMechanism::a:
    case SpfMechanism::mx:
      return parse_host_rest(rest, term);
    case SpfMechanism::ip4:
    case SpfMechanism::ip6:
      return parse_network_rest(rest, term.mechanism == SpfMechanism::ip6, term);
    case SpfMechanism::ptr:
      if (rest.empty()) return true;
      break;
    case SpfMechanism::include:
    case SpfMechanism::exists:
      break;
  }
  if (!rest.starts_with(':')) return false;
  term.domain_spec = rest.substr(1);
  return is_spf_domain_spec(term.domain_spec);
}

// redirect= and exp= once each; others are for somebody else, but must be well-formed.
bool parse_modifier(std::string_view name, std::string_view value, SpfRecord& record) {
  std::optional<std::string>* known = equal_ignoring_case(name, "redirect") ? &record.redirect
                                      : equal_ignoring_case(name, "exp")    ? &record.explanation
                                                                            : nullptr;
  if (known == nullptr) return is_spf_macro_string(value, SpfText::domain);
  if (known->has_value() || !is_spf_domain_spec(value)) return false;
  *known = value;
  return true;
}

}  // namespace

bool is_spf_record(std::string_view text) {
  return text.size() >= kVersion.size() && equal_ignoring_case(text.substr(0, kVersion.size()), kVersion) &&
         (text.size() == kVersion.size() || text[kVersion.size()] == ' ');
}

Result<SpfRecord> parse_spf_record(std::string_view text) {
  if (!is_spf_record(text)) return permanent("that is no SPF record");
  SpfRecord record;
  for (const std::string_view word : split(text.substr(kVersion.size()), ' ')) {
    if (word.empty()) continue;
    const size_t name = name_length(word);
    bool good = false;
    if (name > 0 && name < word.size() && word[name] == '=') {
      good = parse_modifier(word.substr(0, name), word.substr(name + 1), record);
    } else {
      SpfTerm term;
      good = parse_mechanism(word, term);
      record.terms.push_back(std::move(term));
    }
    if (!good) return permanent("\"" + printable(word, 80) + "\" is no term of a record");
  }
  return record;
}

}  // namespace postern
