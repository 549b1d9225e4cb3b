#include "lib/ldap_words.h"

#include <algorithm>
#include <array>

#include "lib/parameters.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kMostUris = 16;
constexpr uint64_t kLongestAge = 7 * 86400;

constexpr std::array<ParameterWord<LdapServer::Tls>, 2> kTlsWords = {
    {{"starttls", LdapServer::Tls::starttls}, {"off", LdapServer::Tls::off}}};
constexpr std::array<ParameterWord<LdapServer::Type>, 2> kTypeWords = {
    {{"openldap", LdapServer::Type::openldap}, {"ad", LdapServer::Type::active_directory}}};
constexpr std::array<ParameterWord<LdapServer::Scope>, 3> kScopeWords = {
    {{"sub", LdapServer::Scope::sub}, {"one", LdapServer::Scope::one}, {"base", LdapServer::Scope::base}}};

// The asking program completes a reply that has no enhanced status or no text.
std::string set_away(std::string_view value, std::string& into) {
  const std::string_view code = value.substr(0, value.find(' '));
  const bool is_code = code.size() == 3 && (code[0] == '4' || code[0] == '5') && parse_number(code);
  const bool sendable = value.size() <= 300 &&
                        std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c <= '~'; });
  if (value != "accept" && value != "defer" && !(is_code && sendable))
    return "it is accept, defer, or a reply: 450 or 550, an enhanced status and a text, in ASCII";
  into = value;
  return {};
}
std::string set_uris(std::string_view value, std::vector<std::string>& into) {
  into.clear();
  for (const std::string_view uri : words(value)) {
    const bool known =
        uri.starts_with("ldap://") || uri.starts_with("ldaps://") || uri.starts_with("ldapi://");
    // What libldap would take for a base or a second host says something else than it seems to.
    if (!known || uri.find_first_of("?,") != std::string_view::npos ||
        uri.find('/', uri.find("//") + 2) != std::string_view::npos)
      return "it is one or more of ldap://HOST[:PORT], ldaps://HOST[:PORT], ldapi://SOCKET with %2f for /";
    into.emplace_back(uri);
  }
  return into.size() > kMostUris ? "it has more than 16 servers" : "";
}
std::string set_base(std::string_view value, std::string& into) {
  into = equal_ignoring_case(value, "NONE") ? "" : value;
  return {};
}
std::string set_seconds(std::string_view value, uint64_t least, uint64_t most, unsigned& into) {
  const std::optional<uint64_t> seconds = parse_age(value);
  if (!seconds || *seconds < least || *seconds > most)
    return "it is a time from " + std::to_string(least) + " to " + std::to_string(most) + " seconds";
  into = static_cast<unsigned>(*seconds);
  return {};
}
std::string set_filter(std::string_view value, LdapFilter& into) {
  Result<LdapFilter> filter = LdapFilter::parse(value);
  if (!filter) return filter.failure().text;
  into = std::move(*filter);
  return {};
}
std::string set_attribute(std::string_view value, std::string& into) {
  const bool fine = std::all_of(value.begin(), value.end(), [](char c) {
    return is_parameter_name(std::string_view(&c, 1)) || c == ';' || c == '.';
  });
  if (!fine || value.front() == '.' || value.front() == ';') return "it is the name of an attribute";
  into = value;
  return {};
}
// Below the directory of secrets, and nowhere else.
std::string set_password_file(std::string_view value, std::string& into) {
  if (value.find('/') != std::string_view::npos || value.starts_with('.'))
    return "it is the name of a file below secrets/posternx/, without a slash";
  into = value;
  return {};
}

template <typename Thing>
using Words = Parameter<Thing>;

constexpr std::array<Words<LdapServer>, 14> kServerWords = {{
    {"uri", [](std::string_view v, LdapServer& s) { return set_uris(v, s.uris); }},
    {"type", [](std::string_view v, LdapServer& s) { return choose_parameter(kTypeWords, v, s.type); }},
    {"tls", [](std::string_view v, LdapServer& s) { return choose_parameter(kTlsWords, v, s.tls); }},
    {"ca",
     [](std::string_view v, LdapServer& s) {
       s.ca = v;
       return std::string(v.starts_with('/') ? "" : "it is the whole path of a file or a directory");
     }},
    {"bind",
     [](std::string_view v, LdapServer& s) {
       s.bind_dn = v;
       return std::string();
     }},
    {"password", [](std::string_view v, LdapServer& s) { return set_password_file(v, s.password_file); }},
    {"base", [](std::string_view v, LdapServer& s) { return set_base(v, s.base); }},
    {"scope", [](std::string_view v, LdapServer& s) { return choose_parameter(kScopeWords, v, s.scope); }},
    {"connect-timeout",
     [](std::string_view v, LdapServer& s) { return set_seconds(v, 1, 60, s.connect_seconds); }},
    {"timeout", [](std::string_view v, LdapServer& s) { return set_seconds(v, 1, 60, s.timeout_seconds); }},
    {"retry", [](std::string_view v, LdapServer& s) { return set_seconds(v, 1, 300, s.retry_seconds); }},
    {"age", [](std::string_view v, LdapServer& s) { return set_seconds(v, 0, kLongestAge, s.age_seconds); }},
    {"negative-age", [](std::string_view v,
                        LdapServer& s) { return set_seconds(v, 0, kLongestAge, s.negative_age_seconds); }},
    {"away", [](std::string_view v, LdapServer& s) { return set_away(v, s.away); }},
}};

constexpr std::array<Words<LdapQueryDraft>, 6> kQueryWords = {{
    {"filter", [](std::string_view v, LdapQueryDraft& q) { return set_filter(v, q.query.filter); }},
    {"dn-filter",
     [](std::string_view v, LdapQueryDraft& q) { return set_filter(v, q.query.dn_filter.emplace()); }},
    {"base", [](std::string_view v, LdapQueryDraft& q) { return set_base(v, q.base.emplace()); }},
    {"scope", [](std::string_view v,
                 LdapQueryDraft& q) { return choose_parameter(kScopeWords, v, q.scope.emplace()); }},
    {"host-attribute",
     [](std::string_view v, LdapQueryDraft& q) { return set_attribute(v, q.query.host_attribute); }},
    {"address-attribute",
     [](std::string_view v, LdapQueryDraft& q) { return set_attribute(v, q.query.address_attribute); }},
}};

std::string add_query(std::string_view value, LdapChain& chain) {
  if (chain.queries.size() >= 100) return "a chain has at most 100 queries";
  chain.queries.emplace_back(value);
  return name_parameter(value, chain.queries.back());
}
std::string add_domain(std::string_view value, LdapDomains& domains) {
  const std::vector<std::string_view> both = words(value);
  if (both.size() != 2) return "it is a domain, \".domain\" for all below it, and the name of a query";
  domains.domains.emplace_back(lower(both[0]), both[1]);
  return {};
}
constexpr std::array<Words<LdapChain>, 1> kChainWords = {{{"try", add_query}}};
constexpr std::array<Words<LdapDomains>, 2> kDomainsWords = {
    {{"domain", add_domain},
     {"otherwise", [](std::string_view v, LdapDomains& d) { return name_parameter(v, d.otherwise); }}}};

template <typename Thing, size_t kSize>
std::string set(const std::array<Words<Thing>, kSize>& known, std::string_view word, std::string_view value,
                Thing& into) {
  const auto found =
      std::find_if(known.begin(), known.end(), [&](const auto& each) { return each.name == word; });
  if (found == known.end()) {
    std::string all;
    for (const auto& each : known) all.append(all.empty() ? "" : ", ").append(each.name);
    return "\"" + printable(word, 40) + "\" is not known here; there are " + all;
  }
  const std::string wrong = found->set(value, into);
  return wrong.empty() ? "" : std::string(word) + " " + printable(value, 80) + ": " + wrong;
}

}  // namespace

std::string set_ldap_word(std::string_view word, std::string_view value, LdapServer& server) {
  return set(kServerWords, word, value, server);
}
std::string set_ldap_word(std::string_view word, std::string_view value, LdapQueryDraft& draft) {
  return set(kQueryWords, word, value, draft);
}
std::string set_ldap_word(std::string_view word, std::string_view value, LdapChain& chain) {
  return set(kChainWords, word, value, chain);
}
std::string set_ldap_word(std::string_view word, std::string_view value, LdapDomains& domains) {
  return set(kDomainsWords, word, value, domains);
}

}  // namespace postern
