#include "receipt/tcp_rules.h"

#include <optional>

#include "lib/cdb_table.h"
#include "lib/control.h"

namespace postern {

namespace {

Result<TcpRule> look_up(CdbTable& rules, std::string_view address) {
  for (std::string_view key = address;;) {
    Result<std::optional<std::string>> record = rules.find(key);
    if (!record) return record.failure();
    if (*record) return parse_tcp_rule(**record);
    if (key.empty()) return TcpRule{};
    // "192.0.2.1" → "192.0.2." → "192.0." → "192." → "", "2001:db8::1" → "2001:db8::" → "2001:db8:" → "2001:"
    // → ""
    key = key.substr(0, key.size() - 1);
    key = key.substr(0, key.find_last_of(".:") + 1);  // npos + 1 is 0
  }
}

}  // namespace

Result<TcpRule> parse_tcp_rule(std::string_view instructions) {
  TcpRule rule;
  while (!instructions.empty()) {
    const size_t end = instructions.find('\0');
    if (end == std::string_view::npos) return temporary("a rule of tcprules does not end");
    const std::string_view one = instructions.substr(0, end);
    instructions.remove_prefix(end + 1);
    if (one.starts_with('D')) {
      rule.deny = true;
    } else if (const size_t equals = one.find('=');
               one.starts_with('+') && equals != std::string_view::npos) {
      rule.variables.emplace_back(one.substr(1, equals - 1), one.substr(equals + 1));
      if (one.substr(1, equals - 1) == "TCPREMOTEHOST") rule.variables.emplace_back(kHostVerified, "");
    }
  }
  return rule;
}

Result<TcpRule> find_tcp_rule(const std::string& cdb_path, std::string_view address, NoRules where_missing) {
  Result<std::optional<CdbTable>> rules = CdbTable::open(cdb_path, "tcprules");
  if (!rules) return rules.failure();
  if (!*rules && where_missing == NoRules::allow) return TcpRule{};
  if (!*rules) return temporary("open " + cdb_path + ": it is not there; make it with tcprules");
  return look_up(**rules, address);
}

Result<TcpRule> tcp_rule_of(std::string_view address, NoRules where_missing) {
  return find_tcp_rule(home_path(kTcpRules), address, where_missing);
}

}  // namespace postern
