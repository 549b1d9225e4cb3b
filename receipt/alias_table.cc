#include "receipt/alias_table.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "lib/envelope.h"
#include "lib/record.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kCompiledLimitBytes = size_t{512} * 1024 * 1024;
constexpr std::string_view kNeverInAUser{" \t\r\n\0<>,:\\[]", 12};

struct Alias {
  std::string key;  // as LineTable has them: "user@domain", "user@.domain", "user@"
  size_t line = 0;
  size_t right_side = 0;  // several aliases of a line share it
};

// What an alias comes to.
struct Expansion {
  std::vector<std::string> recipients;
  size_t steps = 0;  // of its longest chain
};

bool is_user(std::string_view text) {
  return !text.empty() && text.size() <= kAddressLimitBytes &&
         text.find_first_of(kNeverInAUser) == std::string_view::npos &&
         text.find('@') == std::string_view::npos;
}

class Compiler {
 public:
  explicit Compiler(std::string_view file) : file_(file) {}
  Result<CdbRecords> compile(std::string_view text, std::vector<std::string>& doubts);

 private:
  [[nodiscard]] Failure wrong(size_t line, const std::string& why) const {
    return permanent(file_ + ":" + std::to_string(line) + ": " + why);
  }
  [[nodiscard]] Failure too_deep(const Alias& alias) const {
    return wrong(alias.line, "a chain has at most " + std::to_string(kAliasChainLimit) +
                                 " steps; name the addresses themselves");
  }
  Result<void> read(std::string_view text, std::vector<std::string>& doubts);
  Result<void> read_context(std::string_view line, size_t number);
  Result<void> read_aliases(std::string_view line, size_t number, std::vector<std::string>& doubts);
  Result<std::vector<std::string>> keys_of(std::string_view alias, size_t number);
  Result<std::vector<std::string>> read_right_side(std::string_view text, size_t number);
  const Alias* find(std::string_view name, const std::string& scope) const;
  Result<const Expansion*> expand(const Alias& alias, size_t level);
  Result<void> add_recipient(const Alias& alias, const std::string& recipient, size_t level, Expansion& to);

  std::string file_;
  std::vector<std::string> context_;  // empty: none yet
  std::vector<std::vector<std::string>> right_sides_;
  std::vector<Alias> aliases_;  // in the order of the file
  std::unordered_map<std::string, size_t> by_key_;
  std::unordered_map<std::string, Expansion> expanded_;
  std::unordered_set<std::string> open_;  // being expanded: who meets one of them runs in a circle
};

Result<CdbRecords> Compiler::compile(std::string_view text, std::vector<std::string>& doubts) {
  if (Result<void> done = read(text, doubts); !done) return done.failure();
  LineTableMaker maker;
  size_t bytes = 0;
  for (const Alias& alias : aliases_) {
    Result<const Expansion*> expansion = expand(alias, 1);
    if (!expansion) return expansion.failure();
    std::string value;
    for (const std::string& recipient : (*expansion)->recipients) value.append(recipient).push_back('\0');
    bytes += value.size() + alias.key.size();
    if (bytes > kCompiledLimitBytes)
      return wrong(alias.line, "the table is too large with all its chains; use a mailing list instead");
    maker.add(alias.key, alias.line, value);
  }
  return maker.take();
}

Result<void> Compiler::read(std::string_view text, std::vector<std::string>& doubts) {
  for (const auto& [number, line] : numbered_lines(text)) {
    Result<void> done =
        line.starts_with('[') ? read_context(line, number) : read_aliases(line, number, doubts);
    if (!done) return done;
  }
  return {};
}

Result<void> Compiler::read_context(std::string_view line, size_t number) {
  if (!line.ends_with(']')) return wrong(number, "a context ends with ]; write [example.com, .example.org]");
  context_.clear();
  for (const std::string_view part : split(line.substr(1, line.size() - 2), ',')) {
    Result<std::string> domain = table_domain(trim(part));
    if (!domain)
      return wrong(number, domain.failure().text + "; a context reads [example.com, .example.org]");
    context_.push_back(std::move(*domain));
  }
  return {};
}

Result<void> Compiler::read_aliases(std::string_view line, size_t number, std::vector<std::string>& doubts) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return wrong(number, "it has no colon; write ALIAS: RECIPIENT");
  Result<std::vector<std::string>> right = read_right_side(line.substr(colon + 1), number);
  if (!right) return right.failure();
  right_sides_.push_back(std::move(*right));
  for (const std::string_view part : split(line.substr(0, colon), ',')) {
    Result<std::vector<std::string>> keys = keys_of(trim(part), number);
    if (!keys) return keys.failure();
    for (std::string& key : *keys) {
      const auto [place, added] = by_key_.try_emplace(key, aliases_.size());
      if (!added) {
        doubts.push_back(file_ + ":" + std::to_string(number) + ": \"" + printable(key, 100) +
                         "\" stands in line " + std::to_string(aliases_[place->second].line) +
                         ", which counts; remove one of them");
        continue;
      }
      aliases_.push_back({std::move(key), number, right_sides_.size() - 1});
    }
  }
  return {};
}

Result<std::vector<std::string>> Compiler::keys_of(std::string_view alias, size_t number) {
  const size_t at = alias.rfind('@');
  if (at != std::string_view::npos) {
    Result<std::string> key = table_address(alias);
    if (!key || !is_user(alias.substr(0, at)))
      return wrong(number, "\"" + printable(alias, 100) + "\" is no alias; write user or user@domain");
    return std::vector<std::string>{std::move(*key)};
  }
  if (!is_user(alias))
    return wrong(number, "\"" + printable(alias, 100) + "\" is no alias; write user or user@domain");
  if (context_.empty()) return std::vector<std::string>{lower(alias) + "@"};
  std::vector<std::string> keys;
  for (const std::string& domain : context_) keys.push_back(lower(alias) + "@" + domain);
  return keys;
}

Result<std::vector<std::string>> Compiler::read_right_side(std::string_view text, size_t number) {
  std::vector<std::string> recipients;
  for (std::string_view part : split(text, ',')) {
    part = trim(part);
    const size_t at = part.rfind('@');
    const std::string_view user = part.substr(0, at);
    if (part == kDropped) {
      recipients.emplace_back(part);
      continue;
    }
    const Result<std::string> domain =
        at == std::string_view::npos ? std::string() : table_domain(part.substr(at + 1));
    if (!is_user(user) || !domain || domain->starts_with('.') || part.size() > kAddressLimitBytes)
      return wrong(number, "\"" + printable(part, 100) +
                               "\" is no recipient; write user@domain, another alias or /dev/null");
    recipients.push_back(at == std::string_view::npos ? lower(user) : std::string(user) + "@" + *domain);
  }
  if (recipients.size() > kAliasRecipients)
    return wrong(number, "an alias has at most " + std::to_string(kAliasRecipients) + " recipients");
  return recipients;
}

// As a recipient name@scope would be looked up: the first line counts.
const Alias* Compiler::find(std::string_view name, const std::string& scope) const {
  const Alias* first = nullptr;
  const auto look = [&](const std::string& domain) {
    const auto found = by_key_.find(std::string(name) + "@" + domain);
    if (found == by_key_.end()) return;
    const Alias& alias = aliases_[found->second];
    if (first == nullptr || alias.line < first->line) first = &alias;
  };
  look("");
  if (!scope.empty()) look(scope);
  if (scope.starts_with('[')) return first;
  for (size_t dot = scope.find('.', 1); dot < scope.size(); dot = scope.find('.', dot + 1))
    look(scope.substr(dot));
  return first;
}

Result<const Expansion*> Compiler::expand(const Alias& alias, size_t level) {
  if (const auto known = expanded_.find(alias.key); known != expanded_.end()) return &known->second;
  if (!open_.insert(alias.key).second)
    return wrong(alias.line, "\"" + printable(alias.key, 100) +
                                 "\" leads back to itself; let the chain end in a full address");
  Expansion expansion;
  for (const std::string& recipient : right_sides_[alias.right_side]) {
    if (Result<void> added = add_recipient(alias, recipient, level, expansion); !added)
      return added.failure();
    if (expansion.recipients.size() > kAliasRecipients)
      return wrong(alias.line, "\"" + printable(alias.key, 100) + "\" comes to more than " +
                                   std::to_string(kAliasRecipients) +
                                   " recipients with its chains; use a mailing list instead");
  }
  open_.erase(alias.key);
  // Who is thrown away beside others is simply not there.
  if (expansion.recipients.size() > 1) std::erase(expansion.recipients, kDropped);
  return &expanded_.try_emplace(alias.key, std::move(expansion)).first->second;
}

Result<void> Compiler::add_recipient(const Alias& alias, const std::string& recipient, size_t level,
                                     Expansion& to) {
  const auto add = [&](const std::string& address) {
    if (std::find(to.recipients.begin(), to.recipients.end(), address) == to.recipients.end())
      to.recipients.push_back(address);
  };
  if (recipient == kDropped || recipient.find('@') != std::string::npos) {
    add(recipient);
    return {};
  }
  const std::string scope = alias.key.substr(alias.key.rfind('@') + 1);
  const Alias* next = find(recipient, scope);
  if (next == nullptr)
    return wrong(alias.line, "\"" + printable(recipient, 100) +
                                 "\" is no alias here, so the chain ends nowhere; write a full address, or a "
                                 "line for it");
  if (level > kAliasChainLimit) return too_deep(alias);
  Result<const Expansion*> chain = expand(*next, level + 1);
  if (!chain) return chain.failure();
  if ((*chain)->steps >= kAliasChainLimit) return too_deep(alias);
  to.steps = std::max(to.steps, (*chain)->steps + 1);
  for (const std::string& address : (*chain)->recipients) add(address);
  return {};
}

}  // namespace

Result<CdbRecords> parse_alias_table(std::string_view text, std::string_view file,
                                     std::vector<std::string>& doubts) {
  return Compiler(file).compile(text, doubts);
}

std::vector<std::string> alias_recipients_of(std::string_view value) {
  std::vector<std::string> recipients;
  while (const std::optional<std::string_view> one = cut_record(value)) recipients.emplace_back(*one);
  return recipients;
}

}  // namespace postern
