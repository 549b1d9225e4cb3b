#include "receipt/hat_source.h"

#include <algorithm>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "lib/parameters.h"
#include "lib/text.h"
#include "receipt/policies.h"

namespace postern {

namespace {

constexpr size_t kWordLimitBytes = 512;
constexpr size_t kGroupLimit = 10000;
constexpr size_t kEntryLimit = 5000000;
constexpr size_t kNetworkLimit = 20000000;  // ranges become several

Failure wrong(std::string_view file, size_t line, const std::string& why) {
  return permanent(std::string(file) + ":" + std::to_string(line) + ": " + why, 55, "5.3.5");
}

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == ',';
}

// Cuts the next word of a line off its front; nothing at the end or before a comment. A comma inside brackets
// is part of its word. The failure is what is wrong with it.
Result<std::optional<std::string_view>> cut_word(std::string_view& line) {
  while (!line.empty()) {
    if (is_blank(line.front())) {
      line.remove_prefix(1);
    } else if (line.front() == '(') {
      const size_t end = line.find(')');
      if (end == std::string_view::npos)
        return permanent("a description is not closed; put a ) behind it, on the same line");
      line.remove_prefix(end + 1);
    } else {
      break;
    }
  }
  if (line.empty() || line.front() == '#') return std::optional<std::string_view>();
  size_t length = 0;
  for (bool inside = false; length < line.size(); ++length) {
    const char c = line[length];
    // "ALL:$ACCEPTED" are two words
    if (!inside && (is_blank(c) || (c == '$' && length > 0))) break;
    if (c == '[' || c == ']') inside = c == '[';
  }
  if (length > kWordLimitBytes)
    return permanent("a word is longer than 512 bytes; write it on lines of its own");
  const std::string_view word = line.substr(0, length);
  line.remove_prefix(length);
  return std::optional(word);
}

class Parser {
 public:
  Parser(std::string_view file, std::vector<std::string>& warnings) : file_(file), warnings_(warnings) {}

  Result<void> take_line(std::string_view line, size_t number) {
    for (;;) {
      Result<std::optional<std::string_view>> word = cut_word(line);
      if (!word) return wrong(file_, number, word.failure().text);
      if (!*word) return {};
      if (Result<void> taken = take_word(**word, number); !taken) return taken;
    }
  }

  Result<std::vector<HatGroup>> end() {
    if (open_) return not_ended(group_.rule_line == 0 ? group_.line : group_.rule_line);
    return std::move(groups_);
  }

 private:
  Failure not_ended(size_t line) const {
    const std::string what = group_.name.empty() ? "these entries" : "the group " + group_.name;
    return wrong(file_, line,
                 "nothing says what becomes of " + what +
                     "; write a policy of control/policies behind the last entry, as $ACCEPTED, or ACCEPT, "
                     "REJECT, TCPREFUSE, RELAY or CONTINUE");
  }

  Result<void> take_word(std::string_view word, size_t line) {
    if (word.starts_with('$')) return take_policy(word.substr(1), line);
    if (const std::optional<AccessRule> rule = parse_access_rule(word)) return close({}, *rule, line);
    if (word.ends_with(':') && word.find(':') == word.size() - 1)
      return take_name(word.substr(0, word.size() - 1), line);
    return take_entry(word, line);
  }

  Result<void> take_name(std::string_view name, size_t line) {
    if (open_) return not_ended(group_.line);
    if (name.empty() || !is_parameter_name(name))
      return wrong(file_, line,
                   "\"" + printable(name, 80) +
                       "\" is no name of a group; write one of A-Z, a-z, 0-9, - and _ before the colon");
    const auto [before, is_new] = names_.emplace(lower(name), line);
    if (!is_new)
      return wrong(file_, line,
                   "line " + std::to_string(before->second) + " begins a group " + std::string(name) +
                       " too; join the two, or rename one");
    open(line);
    group_.name = name;
    if (!equal_ignoring_case(name, "ALL")) return {};
    group_.name = "ALL";
    return take_entry("ALL", line);
  }

  void open(size_t line) {
    open_ = true;
    group_ = HatGroup{};
    group_.line = line;
    seen_.clear();
  }

  Result<void> take_entry(std::string_view word, size_t line) {
    Result<HatEntry> entry = parse_hat_entry(word);
    if (!entry) return wrong(file_, line, "\"" + printable(word, 80) + "\" " + entry.failure().text);
    if (!open_) open(line);
    group_.rule_line = line;
    if (!seen_.insert(lower(word)).second) return {};  // said before in this group
    if (entry->kind == HatKind::owner)
      warn(line, "\"" + printable(word, 80) + "\" matches nobody: who owns a network is not known here");
    networks_ += entry->networks.size();
    if (++entries_ > kEntryLimit || networks_ > kNetworkLimit)
      return wrong(file_, line, "there are more than 5000000 entries; use networks in place of addresses");
    entry->line = line;
    group_.entries.push_back(std::move(*entry));
    return {};
  }

  Result<void> take_policy(std::string_view name, size_t line) {
    if (name.empty() || !is_parameter_name(name))
      return wrong(
          file_, line,
          "\"$" + printable(name, 80) + "\" names no policy; write one of control/policies, as $ACCEPTED");
    if (!open_)
      return wrong(
          file_, line,
          "$" + std::string(name) +
              " stands behind no group and no entry; write NAME: before it. What a policy is stands in "
              "control/policies");
    return close(std::string(name), AccessRule::accept, line);
  }

  Result<void> close(std::string policy, AccessRule rule, size_t line) {
    if (!open_)
      return wrong(file_, line, "an access rule stands behind no group and no entry; write NAME: before it");
    if (ended_by_ != 0 && std::exchange(warned_, true) == false)
      warn(group_.line, "this is never reached: line " + std::to_string(ended_by_) +
                            " stands for all clients; put it before that line");
    group_.policy = std::move(policy);
    group_.rule = rule;
    group_.rule_line = line;
    const bool all = std::any_of(group_.entries.begin(), group_.entries.end(),
                                 [](const HatEntry& entry) { return entry.kind == HatKind::all; });
    if (all && ended_by_ == 0 && rule != AccessRule::go_on) ended_by_ = group_.line;
    if (groups_.size() == kGroupLimit)
      return wrong(file_, line, "there are more than 10000 groups; write entries with one policy into one");
    groups_.push_back(std::move(group_));
    open_ = false;
    return {};
  }

  void warn(size_t line, const std::string& what) {
    warnings_.push_back(std::string(file_) + ":" + std::to_string(line) + ": " + what);
  }

  std::string_view file_;
  std::vector<std::string>& warnings_;
  std::vector<HatGroup> groups_;
  HatGroup group_;
  bool open_ = false;
  bool warned_ = false;
  size_t ended_by_ = 0;  // the line of the group that all fall into
  size_t entries_ = 0;
  size_t networks_ = 0;
  std::unordered_map<std::string, size_t> names_;
  std::unordered_set<std::string> seen_;  // of the open group
};

}  // namespace

Result<std::vector<HatGroup>> parse_hat(std::string_view text, std::string_view file_name,
                                        std::vector<std::string>& warnings) {
  Parser parser(file_name, warnings);
  size_t number = 0;
  for (const std::string_view line : split(text, '\n')) {
    if (Result<void> taken = parser.take_line(line, ++number); !taken) return taken.failure();
  }
  return parser.end();
}

}  // namespace postern
