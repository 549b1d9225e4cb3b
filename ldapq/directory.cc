#include "ldapq/directory.h"

#include <algorithm>

#include "lib/child.h"
#include "lib/next_hop.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kAddressLimitBytes = 1000;
constexpr size_t kHostLimitBytes = 253;
constexpr std::string_view kControlFile = "control/ldap";

LdapAnswer no(std::string why) {
  return {.kind = LdapAnswer::Kind::no, .why = std::move(why)};
}
LdapAnswer trouble(std::string why, std::string away = "defer") {
  return {.kind = LdapAnswer::Kind::trouble, .why = std::move(why), .away = std::move(away)};
}

std::string_view scope_word(LdapServer::Scope scope) {
  if (scope == LdapServer::Scope::base) return "base";
  return scope == LdapServer::Scope::one ? "one" : "sub";
}

// "y" or "n", then the lines, each behind a LF: none of them has one in it.
std::string packed(const LdapAnswer& answer) {
  std::string text = answer.kind == LdapAnswer::Kind::yes ? "y" : "n";
  for (const std::string& line : answer.lines) text.append("\n").append(line);
  return text;
}
LdapAnswer unpacked(std::string_view text) {
  LdapAnswer answer{.kind = text.starts_with('y') ? LdapAnswer::Kind::yes : LdapAnswer::Kind::no};
  const std::vector<std::string_view> parts = split(text, '\n');
  for (size_t i = 1; i < parts.size(); ++i) answer.lines.emplace_back(parts[i]);
  return answer;
}

std::vector<std::string> values_of(const LdapEntry& entry, const std::string& attribute) {
  const auto found = entry.values.find(attribute);
  return found == entry.values.end() ? std::vector<std::string>() : found->second;
}
std::vector<std::string> addresses_of(const LdapEntry& entry, const std::string& attribute) {
  std::vector<std::string> addresses;
  for (const std::string& value : values_of(entry, attribute)) {
    if (std::string address = address_of_value(value); !address.empty()) addresses.push_back(address);
  }
  return addresses;
}

}  // namespace

std::string address_of_value(std::string_view value) {
  static constexpr std::string_view kScheme = "smtp:";
  if (equal_ignoring_case(value.substr(0, kScheme.size()), kScheme)) value.remove_prefix(kScheme.size());
  const size_t at = value.rfind('@');
  const bool fine =
      at != std::string_view::npos && at > 0 && at + 1 < value.size() && value.size() <= 320 &&
      std::all_of(value.begin(), value.end(), [](unsigned char c) { return c > ' ' && c != 0x7f; }) &&
      value.find_first_of("<>,;:\"()") == std::string_view::npos;
  return fine ? std::string(value) : "";
}

std::string host_of_value(std::string_view value) {
  if (value.ends_with('.')) value.remove_suffix(1);
  const std::string host = lower(value);
  const std::string_view last = std::string_view(host).substr(host.rfind('.') + 1);
  const auto is_host_byte = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
  };
  const bool fine = !host.empty() && host.size() <= kHostLimitBytes && !host.starts_with('.') &&
                    !host.starts_with('-') && host.find("..") == std::string::npos &&
                    std::all_of(host.begin(), host.end(), is_host_byte) &&
                    last.find_first_not_of("0123456789") != std::string_view::npos;
  return fine && address_literal(host).empty() ? host : "";
}

Directory::Directory(LdapSettings settings, std::map<std::string, std::string> passwords,
                     const SharedState& shared, std::string stamp)
    : settings_(std::move(settings)),
      passwords_(std::move(passwords)),
      shared_(shared),
      stamp_(std::move(stamp)),
      servers_(settings_, passwords_, shared) {}

LdapAnswer Directory::explain(const LdapQuestion& question, std::vector<std::string>& told) {
  told_ = &told;
  const std::optional<LdapKind> kind = settings_.kind_of(question.name);
  LdapQuestion asked = question;
  if (kind) {
    asked.kind = *kind;
  } else if (const std::optional<LdapKind> named = ldap_kind(question.name)) {
    asked.kind = *named;
  }
  LdapAnswer answer = ask(asked);
  told_ = nullptr;
  return answer;
}

LdapAnswer Directory::ask(const LdapQuestion& question) {
  const std::string kind_name(ldap_kind_name(question.kind));
  if (question.values.address.empty()) return no("there is no address");
  if (question.kind == LdapKind::group && question.values.group.empty()) return no("there is no group");
  for (const std::string* value :
       {&question.values.address, &question.values.group, &question.values.sender}) {
    if (value->size() > kAddressLimitBytes)
      return no("what is asked for is longer than any directory has it");
  }
  std::string name = question.name;
  if (name.empty() || ldap_kind(name)) {
    const auto active = settings_.active.find(name.empty() ? question.kind : *ldap_kind(name));
    if (active == settings_.active.end() && question.kind == LdapKind::accept &&
        !settings_.has(LdapKind::accept))
      return {.kind = LdapAnswer::Kind::yes,
              .why = std::string(kControlFile) + " has no query of the kind accept: nobody is asked"};
    if (active == settings_.active.end())
      return trouble(std::string(kControlFile) + " has no query of the kind " +
                     (name.empty() ? kind_name : name) + ", or several; say which by: active NAME");
    name = active->second;
  }
  const std::optional<LdapKind> kind = settings_.kind_of(name);
  if (!kind) return trouble(std::string(kControlFile) + " has no query " + printable(name, 80));
  const bool fits = kind == question.kind || (is_password_kind(*kind) && is_password_kind(question.kind));
  if (!fits) return trouble(label(name) + " is not of the kind " + kind_name);
  return ask_named(name, question);
}

LdapAnswer Directory::ask_named(const std::string& name, const LdapQuestion& question) {
  if (const auto query = settings_.queries.find(name); query != settings_.queries.end())
    return ask_query(name, query->second, question);
  if (const auto chain = settings_.chains.find(name); chain != settings_.chains.end())
    return ask_chain(name, chain->second, question);
  const LdapDomains& domains = settings_.domains.find(name)->second;
  const std::string domain = question.values.get(LdapToken::domain);
  const std::string& next = domains.query_for(domain);
  tell("domains " + name + ": for " + printable(domain, 255) + " " + next);
  if (next == "no") return no(label(name) + " has no query for this domain");
  if (next == "yes" && domains.kind == LdapKind::accept)
    return {.kind = LdapAnswer::Kind::yes, .why = label(name) + " asks nobody about this domain"};
  return ask_named(next, question);
}

LdapAnswer Directory::ask_chain(const std::string& name, const LdapChain& chain,
                                const LdapQuestion& question) {
  std::optional<LdapAnswer> worst;
  for (const std::string& query : chain.queries) {
    tell("chain " + name + ": tries " + query);
    LdapAnswer answer = ask_named(query, question);
    if (answer.kind == LdapAnswer::Kind::yes) return answer;
    if (answer.kind == LdapAnswer::Kind::no) continue;
    if (!worst || worst->away == "accept") worst = std::move(answer);
  }
  return worst ? std::move(*worst) : no(label(name) + ": none of its queries finds an entry");
}

LdapAnswer Directory::ask_query(const std::string& name, const LdapQuery& query,
                                const LdapQuestion& question) {
  tell("query " + name + ", " + std::string(ldap_kind_name(query.kind)) + ", " + std::string(kControlFile) +
       " line " + std::to_string(query.line));
  const LdapServer& server = settings_.servers.at(query.server);
  const bool fresh = told_ != nullptr;
  const std::string key = key_of(name, query, question.values);
  const std::optional<std::string> kept = fresh ? std::nullopt : shared_.find(key, now_milliseconds());
  LdapAnswer answer = kept ? unpacked(*kept) : look_up(name, query, question.values);
  const auto keep = [&] {
    if (answer.kind == LdapAnswer::Kind::trouble) return;
    const unsigned age =
        answer.kind == LdapAnswer::Kind::yes ? server.age_seconds : server.negative_age_seconds;
    if (age > 0) shared_.keep(key, packed(answer), now_milliseconds() + int64_t{1000} * age);
  };
  if (!kept) keep();
  if (is_password_kind(query.kind)) {
    LdapAnswer tried = try_password(name, query, question, answer);
    if (!kept || tried.kind != LdapAnswer::Kind::no) return tried;
    // Neither a new user nor one whose entry has moved waits until what is kept is old.
    const LdapAnswer before = std::exchange(answer, look_up(name, query, question.values));
    keep();
    return answer.lines == before.lines && answer.kind == before.kind
               ? tried
               : try_password(name, query, question, answer);
  }
  if (answer.why.empty())
    answer.why = label(name) +
                 (answer.kind == LdapAnswer::Kind::yes ? " found an entry" : " found no entry") + " (kept)";
  return answer;
}

LdapAnswer Directory::look_up(const std::string& name, const LdapQuery& query, LdapValues values) {
  const std::string away = query.kind == LdapKind::accept ? settings_.servers.at(query.server).away : "defer";
  if (query.dn_filter) {
    const Result<LdapEntries> found = search(query, *query.dn_filter, values, {});
    if (!found) return trouble(label(name) + ": " + found.failure().text, away);
    if (found->entries.empty()) return no(label(name) + " finds no entry by its dn-filter");
    if (found->entries.size() > 1 || found->more)
      return trouble(label(name) + " finds several entries by its dn-filter");
    values.dn = found->entries.front().dn;
  }
  std::vector<std::string> attributes;
  for (const std::string* attribute : {&query.host_attribute, &query.address_attribute}) {
    if (!attribute->empty()) attributes.push_back(*attribute);
  }
  const Result<LdapEntries> found = search(query, query.filter, values, attributes);
  if (!found) return trouble(label(name) + ": " + found.failure().text, away);
  return judge(name, query, values, *found);
}

Result<LdapEntries> Directory::search(const LdapQuery& query, const LdapFilter& filter,
                                      const LdapValues& values, std::vector<std::string> attributes) {
  const std::optional<std::string> text = filter.expand(values);
  tell("filter " + (text ? *text : filter.text() + " is not asked: what stands beside its * is empty"));
  if (!text) return LdapEntries{};
  tell("base " + (query.base.empty() ? "NONE" : query.base) + ", scope " +
       std::string(scope_word(query.scope)));
  const LdapSearch search{.base = query.base,
                          .scope = query.scope,
                          .filter = *text,
                          .attributes = std::move(attributes),
                          .most_entries = 2};
  Result<LdapEntries> found = servers_.search(query.server, search);
  tell("server " + query.server + (found ? ", " + servers_.last_uri() : ": " + found.failure().text));
  if (!found) return found;
  for (const LdapEntry& entry : found->entries) {
    tell("entry " + printable(entry.dn));
    for (const auto& [attribute, each] : entry.values) {
      for (const std::string& value : each) tell("  " + attribute + ": " + printable(value));
    }
  }
  if (found->entries.empty()) tell("no entry");
  return found;
}

LdapAnswer Directory::judge(const std::string& name, const LdapQuery& query, const LdapValues& values,
                            const LdapEntries& found) const {
  if (found.entries.empty()) return no(label(name) + " finds no entry");
  const LdapEntry& entry = found.entries.front();
  LdapAnswer answer{.kind = LdapAnswer::Kind::yes, .why = label(name) + " finds " + printable(entry.dn)};
  if (query.kind == LdapKind::accept || query.kind == LdapKind::group) return answer;
  // Whose password, or where to, must not be a matter of chance.
  if (found.entries.size() > 1 || found.more)
    return trouble(label(name) + " finds several entries; one is wanted");
  std::vector<std::string> addresses = addresses_of(entry, query.address_attribute);
  if (is_password_kind(query.kind)) {
    if (entry.dn.find('\n') != std::string::npos) return trouble(answer.why + ", a name with a line end");
    answer.lines = std::move(addresses);
    answer.lines.insert(answer.lines.begin(), entry.dn);
    return answer;
  }
  std::string host;
  if (query.kind == LdapKind::routing) {
    const std::vector<std::string> hosts = values_of(entry, query.host_attribute);
    if (!hosts.empty() && (host = host_of_value(hosts.front())).empty())
      return trouble(label(name) + ": " + query.host_attribute + " of " + printable(entry.dn) + " is \"" +
                     printable(hosts.front(), 100) + "\", which is no host name");
    if (addresses.empty() && !host.empty()) addresses.push_back(values.address);
  }
  if (addresses.empty())
    return no(label(name) + " finds " + printable(entry.dn) + ", which has no " +
              (host.empty() ? "value that counts" : query.address_attribute));
  if (query.kind == LdapKind::routing) {
    for (std::string& address : addresses) address = host + "\t" + address;
  } else {
    addresses.resize(1);
  }
  answer.lines = std::move(addresses);
  return answer;
}

LdapAnswer Directory::try_password(const std::string& name, const LdapQuery& query,
                                   const LdapQuestion& question, const LdapAnswer& entry) {
  LdapAnswer answer = entry;
  if (entry.kind != LdapAnswer::Kind::yes || entry.lines.empty()) {
    if (answer.why.empty()) answer.why = label(name) + " found no entry (kept)";
    return answer;
  }
  const std::string dn = entry.lines.front();
  answer.lines.erase(answer.lines.begin());
  if (!question.password) {
    tell("no password is tried");
    return answer;
  }
  const Result<bool> right = servers_.bind(query.server, dn, *question.password);
  if (!right) return trouble(label(name) + ": " + right.failure().text);
  tell("bind as " + printable(dn) + (*right ? " is taken" : " is refused"));
  if (!*right) return no(label(name) + ": the password is not that of " + printable(dn));
  answer.why = label(name) + ": the password is that of " + printable(dn);
  return answer;
}

std::string Directory::key_of(const std::string& name, const LdapQuery& query,
                              const LdapValues& values) const {
  // A NUL may be in what is asked for: the lengths tell where each part ends.
  std::string key = stamp_ + name;
  const bool sender =
      query.filter.uses(LdapToken::sender) || (query.dn_filter && query.dn_filter->uses(LdapToken::sender));
  for (const std::string* part : {&values.address, &values.group, &values.sender}) {
    if (part == &values.sender && !sender) continue;
    key.append(" ").append(std::to_string(part->size())).append(" ").append(*part);
  }
  return key;
}

std::string Directory::label(std::string_view name) const {
  return std::string(name) + " (" + std::string(kControlFile) + " line " +
         std::to_string(settings_.line_of(name)) + ")";
}

void Directory::tell(const std::string& line) {
  if (told_ != nullptr) told_->push_back(line);
}

}  // namespace postern
