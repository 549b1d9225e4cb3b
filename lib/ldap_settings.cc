#include "lib/ldap_settings.h"

#include <algorithm>

#include "lib/ldap_words.h"
#include "lib/parameters.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kMostQueries = 1000;
constexpr uint64_t kMostEntries = 200000;  // of the cache, at 1 KiB each

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
    if (server_ != nullptr) return set_ldap_word(word, value, *server_);
    if (query_ != nullptr) return set_ldap_word(word, value, *query_);
    if (chain_ != nullptr) return set_ldap_word(word, value, *chain_);
    if (domains_ != nullptr) return set_ldap_word(word, value, *domains_);
    return "\"" + printable(word, 40) + "\" stands before the first server, query, chain or domains";
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

  std::string complete(LdapQuery& query, const LdapQueryDraft& draft) const {
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
  std::map<std::string, LdapQueryDraft, std::less<>> drafts_;
  std::map<std::string, size_t, std::less<>> names_;  // of queries, chains and domains; their lines
  LdapServer* server_ = nullptr;
  LdapQueryDraft* query_ = nullptr;
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

bool LdapSettings::has(LdapKind kind) const {
  const auto is_of_kind = [&](const auto& entry) { return entry.second.kind == kind; };
  return std::any_of(queries.begin(), queries.end(), is_of_kind) ||
         std::any_of(chains.begin(), chains.end(), is_of_kind) ||
         std::any_of(domains.begin(), domains.end(), is_of_kind);
}

size_t LdapSettings::line_of(std::string_view name) const {
  if (const auto found = queries.find(name); found != queries.end()) return found->second.line;
  if (const auto found = chains.find(name); found != chains.end()) return found->second.line;
  if (const auto found = domains.find(name); found != domains.end()) return found->second.line;
  return 0;
}

}  // namespace postern
