#include "lib/ldap_settings.h"

#include <algorithm>

#include "lib/parameters.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kMostUris = 16;
constexpr size_t kMostQueries = 1000;
constexpr uint64_t kMostEntries = 200000;  // of the cache, at 1 KiB each
constexpr uint64_t kLongestAge = 7 * 86400;

using Kinds = std::array<std::pair<std::string_view, LdapKind>, 11>;
constexpr Kinds kKinds = {{{"accept", LdapKind::accept},
                           {"routing", LdapKind::routing},
                           {"masquerade", LdapKind::masquerade},
                           {"group", LdapKind::group},
                           {"smtpauth", LdapKind::smtpauth},
                           {"externalauth", LdapKind::externalauth},
                           {"isqauth", LdapKind::isqauth},
                           {"isqalias", LdapKind::isqalias},
                           {"ldapaccept", LdapKind::accept},
                           {"ldaprouting", LdapKind::routing},
                           {"ldapgroup", LdapKind::group}}};

constexpr std::array<ParameterWord<LdapServer::Tls>, 2> kTlsWords = {
    {{"starttls", LdapServer::Tls::starttls}, {"off", LdapServer::Tls::off}}};
constexpr std::array<ParameterWord<LdapServer::Type>, 2> kTypeWords = {
    {{"openldap", LdapServer::Type::openldap}, {"ad", LdapServer::Type::active_directory}}};
constexpr std::array<ParameterWord<LdapServer::Scope>, 3> kScopeWords = {
    {{"sub", LdapServer::Scope::sub}, {"one", LdapServer::Scope::one}, {"base", LdapServer::Scope::base}}};
constexpr std::array<ParameterWord<bool>, 2> kAwayWords = {{{"accept", true}, {"defer", false}}};

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
    return "it is the name of a file below secrets/posterny/, without a slash";
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
    {"away",
     [](std::string_view v, LdapServer& s) { return choose_parameter(kAwayWords, v, s.accept_when_away); }},
}};

// A query's base and scope are marked as set by the reader: what it does not say is the server's.
struct QueryDraft {
  LdapQuery query{};
  std::optional<std::string> base{};
  std::optional<LdapServer::Scope> scope{};
};

constexpr std::array<Words<QueryDraft>, 6> kQueryWords = {{
    {"filter", [](std::string_view v, QueryDraft& q) { return set_filter(v, q.query.filter); }},
    {"dn-filter",
     [](std::string_view v, QueryDraft& q) { return set_filter(v, q.query.dn_filter.emplace()); }},
    {"base", [](std::string_view v, QueryDraft& q) { return set_base(v, q.base.emplace()); }},
    {"scope",
     [](std::string_view v, QueryDraft& q) { return choose_parameter(kScopeWords, v, q.scope.emplace()); }},
    {"host-attribute",
     [](std::string_view v, QueryDraft& q) { return set_attribute(v, q.query.host_attribute); }},
    {"address-attribute",
     [](std::string_view v, QueryDraft& q) { return set_attribute(v, q.query.address_attribute); }},
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

// What a query does not say where its server's type says it.
std::string_view default_filter(LdapKind kind, LdapServer::Type type) {
  const bool ad = type == LdapServer::Type::active_directory;
  if (is_password_kind(kind)) return ad ? "(sAMAccountName={u})" : "(uid={u})";
  if (kind == LdapKind::accept) return ad ? "(|(mail={a})(proxyAddresses=smtp:{a}))" : "(mail={a})";
  return "";
}

class Reader {
 public:
  Reader(std::string_view text, std::string_view file_name) : file_name_(file_name) {
    for (const ParameterLine& line : parameter_lines(text)) lines_.push_back(line);
  }

  Result<LdapSettings> read() {
    for (const ParameterLine& line : lines_) {
      if (std::string why = take(line); !why.empty()) return parameter_failure(file_name_, line, why);
    }
    for (auto& [name, draft] : drafts_) settings_.queries.emplace(name, std::move(draft.query));
    if (std::optional<Failure> failure = complete()) return *failure;
    return std::move(settings_);
  }

 private:
  // The line's text behind its first word.
  static std::string_view value_of(const ParameterLine& line) {
    if (line.words.size() < 2) return {};
    const char* end = line.words.back().data() + line.words.back().size();
    return {line.words[1].data(), static_cast<size_t>(end - line.words[1].data())};
  }

  std::string take(const ParameterLine& line) {
    const std::string_view word = line.words.front();
    const std::string_view value = value_of(line);
    if (value.empty()) return "\"" + printable(word, 40) + "\" has no value behind it";
    if (word == "server" || word == "query" || word == "chain" || word == "domains") return begin(line);
    if (word == "active") {
      active_.push_back(line);
      return {};
    }
    if (word == "cache") return number_parameter(value, 0, kMostEntries, settings_.cache_entries);
    if (server_ != nullptr) return set(kServerWords, word, value, *server_);
    if (query_ != nullptr) return set(kQueryWords, word, value, *query_);
    if (chain_ != nullptr) return set(kChainWords, word, value, *chain_);
    if (domains_ != nullptr) return set(kDomainsWords, word, value, *domains_);
    return "\"" + printable(word, 40) + "\" stands before the first server, query, chain or domains";
  }

  template <typename Thing, size_t kSize>
  static std::string set(const std::array<Words<Thing>, kSize>& known, std::string_view word,
                         std::string_view value, Thing& into) {
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

  std::string begin(const ParameterLine& line) {
    server_ = nullptr;
    query_ = nullptr;
    chain_ = nullptr;
    domains_ = nullptr;
    const std::string_view what = line.words[0];
    std::string name;
    if (!name_parameter(line.words[1], name).empty() || ldap_kind(name) || name == "yes" || name == "no")
      return "a name has letters, digits, - and _, and is no kind of query";
    if (what == "server") {
      if (line.words.size() != 2) return "it is: server NAME";
      if (settings_.servers.contains(name)) return "there is a server of that name before";
      server_ = &settings_.servers[name];
      server_->line = line.number;
      return {};
    }
    const size_t size = what == "query" ? 4 : 3;
    const std::optional<LdapKind> kind = line.words.size() > 2 ? ldap_kind(line.words[2]) : std::nullopt;
    if (line.words.size() != size || !kind)
      return std::string(what == "query" ? "it is: query NAME KIND SERVER"
                                         : "it is: NAME and KIND behind it") +
             "; kinds are accept, routing, masquerade, group, smtpauth, externalauth, isqauth and isqalias";
    if (!names_.emplace(name, line.number).second) return "there is a query of that name before";
    if (names_.size() > kMostQueries) return "there are more than " + std::to_string(kMostQueries);
    if (what == "query") {
      query_ = &drafts_[name];
      query_->query.kind = *kind;
      query_->query.line = line.number;
      query_->query.server = line.words[3];
    } else if (what == "chain") {
      chain_ = &settings_.chains[name];
      chain_->kind = *kind;
      chain_->line = line.number;
    } else {
      domains_ = &settings_.domains[name];
      domains_->kind = *kind;
      domains_->line = line.number;
    }
    return {};
  }

  [[nodiscard]] Failure at(size_t line, const std::string& why) const {
    return parameter_failure(file_name_, {.number = line, .words = {}}, why);
  }

  // What can be said only when the whole file has been read.
  std::optional<Failure> complete() {
    for (const auto& [name, server] : settings_.servers) {
      if (server.uris.empty()) return at(server.line, "the server " + name + " has no line uri");
      if (server.bind_dn.empty() != server.password_file.empty())
        return at(server.line, "the server " + name + " has one of bind and password; it needs both or none");
    }
    for (auto& [name, query] : settings_.queries) {
      if (std::string why = complete(query, drafts_[name]); !why.empty())
        return at(query.line, "the query " + name + " " + why);
    }
    for (const auto& [name, chain] : settings_.chains) {
      if (chain.queries.empty()) return at(chain.line, "the chain " + name + " has no line try");
      for (const std::string& query : chain.queries) {
        const auto found = settings_.queries.find(query);
        if (found == settings_.queries.end() || found->second.kind != chain.kind)
          return at(chain.line, "the chain " + name + " tries " + query + ", which is no query of its kind");
      }
    }
    for (const auto& [name, domains] : settings_.domains) {
      if (std::string why = problem_of(domains); !why.empty())
        return at(domains.line, "domains " + name + ": " + why);
    }
    return choose_active();
  }

  std::string complete(LdapQuery& query, const QueryDraft& draft) const {
    const auto server = settings_.servers.find(query.server);
    if (server == settings_.servers.end())
      return "is put to the server " + query.server + ", which is not here";
    query.base = draft.base.value_or(server->second.base);
    query.scope = draft.scope.value_or(server->second.scope);
    if (query.filter.text().empty()) {
      Result<LdapFilter> filter = LdapFilter::parse(default_filter(query.kind, server->second.type));
      if (!filter) return "has no line filter";
      query.filter = std::move(*filter);
    }
    if (query.kind == LdapKind::isqauth && query.address_attribute.empty()) query.address_attribute = "mail";
    return problem_of(query);
  }

  static std::string problem_of(const LdapQuery& query) {
    const LdapFilter& filter = query.filter;
    if (filter.uses(LdapToken::dn) != query.dn_filter.has_value())
      return "has one of {dn} and dn-filter; dn-filter finds the entry whose name {dn} is";
    if (query.dn_filter && query.dn_filter->uses(LdapToken::dn)) return "has {dn} in its dn-filter";
    for (const LdapFilter* each : {&filter, query.dn_filter ? &*query.dn_filter : &filter}) {
      if (each->uses(LdapToken::sender) && query.kind != LdapKind::accept)
        return "has {f}, which is for queries of the kind accept";
      if (each->uses(LdapToken::group) && query.kind != LdapKind::group)
        return "has {g}, which is for queries of the kind group";
    }
    const bool routing = query.kind == LdapKind::routing;
    if (!query.host_attribute.empty() && !routing) return "has a host-attribute and is no routing";
    const bool needs = query.kind == LdapKind::masquerade || query.kind == LdapKind::isqalias ||
                       (routing && query.host_attribute.empty());
    if (query.address_attribute.empty() && needs) return "has no line address-attribute";
    const bool may = needs || routing || is_password_kind(query.kind);
    return query.address_attribute.empty() || may ? "" : "has an address-attribute and gives no address";
  }

  [[nodiscard]] std::string problem_of(const LdapDomains& domains) const {
    const bool accept = domains.kind == LdapKind::accept;
    if (domains.otherwise.empty())
      return "say what holds for other domains: otherwise QUERY, otherwise no" +
             std::string(accept ? " or otherwise yes" : "");
    std::vector<std::string> names;
    for (const auto& [domain, query] : domains.domains) names.push_back(query);
    if (domains.otherwise != "no" && (domains.otherwise != "yes" || !accept))
      names.push_back(domains.otherwise);
    for (const std::string& name : names) {
      const bool there = settings_.queries.contains(name) || settings_.chains.contains(name);
      if (!there || settings_.kind_of(name) != domains.kind)
        return name + " is no query or chain of its kind";
    }
    return {};
  }

  std::optional<Failure> choose_active() {
    for (const ParameterLine& line : active_) {
      const std::string name(value_of(line));
      const std::optional<LdapKind> kind = settings_.kind_of(name);
      if (!kind)
        return at(line.number, "there is no query, chain or domains of the name " + printable(name, 80));
      if (!settings_.active.emplace(*kind, name).second)
        return at(line.number, "there is an active one of that kind before");
    }
    std::map<LdapKind, std::vector<std::string>> by_kind;
    for (const auto& [name, line] : names_) by_kind[*settings_.kind_of(name)].push_back(name);
    for (const auto& [kind, names] : by_kind) {
      if (names.size() == 1) settings_.active.emplace(kind, names.front());
    }
    return std::nullopt;
  }

  std::string file_name_;
  std::vector<ParameterLine> lines_;
  std::vector<ParameterLine> active_;
  LdapSettings settings_;
  std::map<std::string, QueryDraft, std::less<>> drafts_;
  std::map<std::string, size_t, std::less<>> names_;  // of queries, chains and domains; their lines
  LdapServer* server_ = nullptr;
  QueryDraft* query_ = nullptr;
  LdapChain* chain_ = nullptr;
  LdapDomains* domains_ = nullptr;
};

}  // namespace

std::string_view ldap_kind_name(LdapKind kind) {
  return std::find_if(kKinds.begin(), kKinds.end(), [&](const auto& known) { return known.second == kind; })
      ->first;
}

std::optional<LdapKind> ldap_kind(std::string_view name) {
  for (const auto& [known, kind] : kKinds) {
    if (known == name) return kind;
  }
  return std::nullopt;
}

bool is_password_kind(LdapKind kind) {
  return kind == LdapKind::smtpauth || kind == LdapKind::externalauth || kind == LdapKind::isqauth;
}

const std::string& LdapDomains::query_for(std::string_view domain) const {
  const std::pair<std::string, std::string>* best = nullptr;
  for (const auto& entry : domains) {
    const bool below = entry.first.starts_with('.') && domain.size() > entry.first.size() &&
                       equal_ignoring_case(domain.substr(domain.size() - entry.first.size()), entry.first);
    if (!below && !equal_ignoring_case(domain, entry.first)) continue;
    if (best == nullptr || entry.first.size() > best->first.size()) best = &entry;
  }
  return best == nullptr ? otherwise : best->second;
}

Result<LdapSettings> LdapSettings::parse(std::string_view text, std::string_view file_name) {
  return Reader(text, file_name).read();
}

std::optional<LdapKind> LdapSettings::kind_of(std::string_view name) const {
  if (const auto found = queries.find(name); found != queries.end()) return found->second.kind;
  if (const auto found = chains.find(name); found != chains.end()) return found->second.kind;
  if (const auto found = domains.find(name); found != domains.end()) return found->second.kind;
  return std::nullopt;
}

size_t LdapSettings::line_of(std::string_view name) const {
  if (const auto found = queries.find(name); found != queries.end()) return found->second.line;
  if (const auto found = chains.find(name); found != chains.end()) return found->second.line;
  if (const auto found = domains.find(name); found != domains.end()) return found->second.line;
  return 0;
}

}  // namespace postern
