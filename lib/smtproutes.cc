#include "lib/smtproutes.h"

#include <algorithm>

#include "lib/idn.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kHostsLimit = 20;  // as many as are tried in one delivery
constexpr uint64_t kPriorityLimit = 65535;

// The name of a file: nothing that leads out of its directory.
bool is_secret_name(std::string_view text) {
  return !text.empty() && text.size() <= 64 && text.front() != '.' &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
                  c == '_' || c == '-';
         });
}

Result<void> set_option(std::string_view word, Route& route) {
  const size_t equals = word.find('=');
  const std::string_view name = word.substr(0, equals);
  const std::string_view value = word.substr(equals + 1);
  if (name == "tls") {
    route.tls = parse_tls_level(value);
    if (route.tls) return {};
    return temporary("tls=" + printable(value, 40) +
                     " is no level; write off, may, encrypt, dane, dane-only, verify or secure");
  }
  if (name == "auth") {
    route.auth = value;
    if (is_secret_name(value)) return {};
    return temporary("auth=" + printable(value, 80) + " is no name of a file in secrets/posternr/");
  }
  if (name == "auth-without-tls" && (value == "yes" || value == "no")) {
    route.auth_without_tls = value == "yes";
    return {};
  }
  return temporary("\"" + printable(word, 80) +
                   "\" is no option; there are tls=LEVEL, auth=NAME and auth-without-tls=yes");
}

// "relay : 25 10" as "relay:25" and "10": blanks around colons were always allowed.
std::vector<std::string> glued_words(std::string_view text) {
  std::vector<std::string> glued;
  for (const std::string_view word : words(text)) {
    const bool joins = !glued.empty() && (word.starts_with(':') || glued.back().ends_with(':'));
    if (joins) {
      glued.back() += word;
    } else {
      glued.emplace_back(word);
    }
  }
  return glued;
}

Result<RouteHost> parse_route_host(const std::vector<std::string>& word) {
  RouteHost host;
  Result<NextHop> hop = parse_next_hop(word.empty() ? std::string_view() : std::string_view(word[0]));
  if (!hop) return hop.failure();
  host.hop = std::move(*hop);
  const bool is_path = host.hop.host.starts_with('/');
  if (!is_path && !host.hop.host.empty() && address_literal(host.hop.host).empty()) {
    Result<std::string> name = a_labels(host.hop.host);
    if (!name) return temporary(name.failure().text);
    host.hop.host = *name;
  }
  if (word.size() < 2) return host;
  const std::optional<uint64_t> priority = parse_number(word[1]);
  if (word.size() > 2 || !priority || *priority > kPriorityLimit)
    return temporary("\"" + printable(word[1], 40) +
                     "\" behind a host should be its priority, 0 to 65535; hosts have commas between them");
  host.priority = static_cast<unsigned>(*priority);
  return host;
}

Result<void> check_options(const Route& route) {
  const auto has = [&](NextHop::Way way) {
    return std::any_of(route.hosts.begin(), route.hosts.end(),
                       [&](const RouteHost& host) { return host.hop.way == way; });
  };
  if (has(NextHop::Way::discard) && route.hosts.size() > 1) return temporary("/dev/null stands alone");
  // Whoever can forge a domain's MX would get the password.
  if (!route.auth.empty() && has(NextHop::Way::mx))
    return temporary("auth= needs hosts that are named; a password goes to no host that DNS chose");
  return {};
}

std::string key_of(const Route& route) {
  std::string key;
  for (const RouteHost& host : route.hosts) {
    static constexpr std::string_view kWays[] = {"mx", "smtp", "lmtp", "discard"};
    key.append(key.empty() ? "" : ", ").append(kWays[static_cast<size_t>(host.hop.way)]);
    key.append(" ").append(host.hop.host).append(":").append(std::to_string(host.hop.port));
    key.append(" ").append(std::to_string(host.priority));
  }
  if (!route.auth.empty()) key += (route.auth_without_tls ? " plain-auth=" : " auth=") + route.auth;
  if (route.tls) key.append(" tls=").append(tls_level_name(*route.tls));
  return key;
}

// What stands behind the domain.
Result<Route> parse_hosts(std::string_view text) {
  Route route;
  for (const std::string_view part : split(text, ',')) {
    std::vector<std::string> word = glued_words(part);
    const auto options = std::stable_partition(
        word.begin(), word.end(), [](const std::string& w) { return w.find('=') == std::string::npos; });
    for (auto option = options; option != word.end(); ++option) {
      if (Result<void> set = set_option(*option, route); !set) return set.failure();
    }
    word.erase(options, word.end());
    Result<RouteHost> host = parse_route_host(word);
    if (!host) return host.failure();
    route.hosts.push_back(std::move(*host));
  }
  if (route.hosts.size() > kHostsLimit)
    return temporary("a route has at most " + std::to_string(kHostsLimit) + " hosts");
  if (Result<void> checked = check_options(route); !checked) return checked.failure();
  std::stable_sort(route.hosts.begin(), route.hosts.end(),
                   [](const RouteHost& a, const RouteHost& b) { return a.priority < b.priority; });
  route.key = key_of(route);
  return route;
}

// Where the first field ends: at the first colon outside brackets.
size_t end_of_first_field(std::string_view line) {
  bool bracketed = false;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '[') bracketed = true;
    if (line[i] == ']') bracketed = false;
    if (line[i] == ':' && !bracketed) return i;
  }
  return std::string_view::npos;
}

// What the table knows a line by: "" for all others, the domain, or the address.
Result<std::string> table_key(std::string_view field) {
  if (field == "*") return std::string();
  if (field.find_first_of(" \t") != std::string_view::npos)
    return temporary("\"" + printable(field, 80) + "\" is no domain: it has a blank in it");
  const size_t at = field.rfind('@');
  if (at == std::string_view::npos) return a_labels(field);
  Result<std::string> domain = a_labels(field.substr(at + 1));
  if (!domain) return domain.failure();
  if (at == 0 || domain->empty() || domain->starts_with('.'))
    return temporary("\"" + printable(field, 80) +
                     "\" is no whole address; a domain stands without @, what is below it as .DOMAIN");
  return lower(field.substr(0, at)) + "@" + *domain;
}

}  // namespace

Route Route::by_mx() {
  return {.hosts = {RouteHost{}}, .auth = {}, .auth_without_tls = false, .tls = {}, .key = "mx :0 0"};
}

Result<Route> parse_route(std::string_view text) {
  static constexpr std::string_view kForms =
      "POSTERN_ROUTE must be HOST or HOST:PORT, lmtp:HOST:PORT, lmtp:/PATH, USEDNS or /dev/null";
  if (!is_next_hop(text)) return temporary(std::string(kForms), 0, "4.3.5");
  Result<Route> route = parse_hosts(text);
  if (!route) return temporary("POSTERN_ROUTE: " + route.failure().text, 0, "4.3.5");
  return route;
}

Result<RouteTable> RouteTable::parse(std::string_view text, std::string_view file_name) {
  RouteTable table;
  for (const auto& [number, line] : numbered_lines(text)) {
    const size_t colon = end_of_first_field(line);
    const bool complete = colon != std::string_view::npos;
    Result<Route> route = complete ? parse_hosts(line.substr(colon + 1))
                                   : temporary("it has no colon; write DOMAIN:HOST or DOMAIN:HOST:PORT");
    Result<std::string> key = table_key(trim(line.substr(0, colon)));
    if (route && !key) route = temporary(key.failure().text);
    if (!route) {
      const std::string where = printable(file_name) + ":" + std::to_string(number) + ": ";
      return temporary(where + route.failure().text, 55, "4.3.5");
    }
    table.has_addresses_ = table.has_addresses_ || key->find('@') != std::string::npos;
    table.routes_.try_emplace(*key, std::move(*route));
  }
  return table;
}

const Route& RouteTable::find(std::string_view domain) const {
  const std::string name = lower(domain);
  if (const auto exact = routes_.find(name); exact != routes_.end()) return exact->second;
  for (size_t dot = name.find('.'); dot != std::string::npos; dot = name.find('.', dot + 1)) {
    if (const auto parent = routes_.find(name.substr(dot)); parent != routes_.end()) return parent->second;
  }
  const auto all = routes_.find("");
  return all == routes_.end() ? otherwise_ : all->second;
}

const Route* RouteTable::find_address(std::string_view local_part, std::string_view domain) const {
  const auto found = routes_.find(lower(local_part) + "@" + lower(domain));
  return found == routes_.end() ? nullptr : &found->second;
}

}  // namespace postern
