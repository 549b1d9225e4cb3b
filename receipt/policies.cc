#include "receipt/policies.h"

#include <algorithm>
#include <array>

#include "lib/parameters.h"
#include "lib/text.h"
#include "receipt/policy_parameters.h"

namespace postern {

namespace {

constexpr std::array<ParameterWord<AccessRule>, 5> kRules = {{{"ACCEPT", AccessRule::accept},
                                                              {"REJECT", AccessRule::reject},
                                                              {"TCPREFUSE", AccessRule::tcp_refuse},
                                                              {"RELAY", AccessRule::relay},
                                                              {"CONTINUE", AccessRule::go_on}}};
constexpr size_t kPoliciesLimit = 10000;

struct Word {
  std::string text;
  size_t line;
};

Failure wrong(std::string_view file, size_t line, const std::string& why) {
  return permanent(std::string(file) + ":" + std::to_string(line) + ": " + why, 55, "5.3.5");
}

// The words of a line, without the quotation marks; a backslash takes its meaning from what follows it there.
Result<void> cut_words(std::string_view line, size_t number, std::string_view file, std::vector<Word>& into) {
  std::string word;
  bool open = false;
  bool quoted = false;
  for (size_t i = 0; i < line.size(); ++i) {
    char c = line[i];
    if (!quoted && (c == ' ' || c == '\t' || c == '\r')) {
      if (open) into.push_back({std::move(word), number});
      word.clear();
      open = false;
      continue;
    }
    if (!open && c == '#') return {};
    open = true;
    if (c == '"') {
      quoted = !quoted;
      continue;
    }
    if (quoted && c == '\\' && i + 1 < line.size()) c = line[++i];
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
      return wrong(file, number, "a control character stands in it; remove it");
    word += c;
  }
  if (quoted) return wrong(file, number, "a quotation mark is not closed; put the second one");
  if (open) into.push_back({std::move(word), number});
  return {};
}

// One after another what belongs together: the words of a line and of those that go on with it.
Result<std::vector<std::vector<Word>>> cut_lines(std::string_view text, std::string_view file) {
  std::vector<std::vector<Word>> all;
  size_t number = 0;
  for (const std::string_view line : split(text, '\n')) {
    ++number;
    std::vector<Word> here;
    if (Result<void> cut = cut_words(line, number, file, here); !cut) return cut.failure();
    if (here.empty()) continue;
    const bool goes_on = line.front() == ' ' || line.front() == '\t';
    if (!goes_on) {
      all.push_back(std::move(here));
    } else if (all.empty()) {
      return wrong(file, number, "it goes on with a line that is not there; begin it with a policy's name");
    } else {
      std::move(here.begin(), here.end(), std::back_inserter(all.back()));
    }
  }
  return all;
}

Result<std::vector<std::string>> parameter_words(const std::vector<Word>& words, size_t first,
                                                 std::string_view file) {
  std::vector<std::string> kept;
  MailFlowPolicy tried;
  for (size_t i = first; i < words.size(); ++i) {
    const ParameterLine one{.number = words[i].line, .words = {words[0].text, words[i].text}};
    if (const std::string why = set_parameters(kPolicyParameters, one, tried); !why.empty())
      return wrong(file, words[i].line, why + "; see postern-policies(5)");
    kept.push_back(words[i].text);
  }
  return kept;
}

}  // namespace

std::optional<AccessRule> parse_access_rule(std::string_view word) {
  AccessRule rule{};
  return choose_parameter(kRules, word, rule).empty() ? std::optional(rule) : std::nullopt;
}

std::string_view access_rule_name(AccessRule rule) {
  return std::find_if(kRules.begin(), kRules.end(), [&](const auto& word) { return word.second == rule; })
      ->first;
}

const PolicyLine* Policies::find(std::string_view name) const {
  const auto found = std::find_if(lines.begin(), lines.end(), [&](const PolicyLine& line) {
    return equal_ignoring_case(line.name, name);
  });
  return found == lines.end() ? nullptr : &*found;
}

Result<Policies> parse_policies(std::string_view text, std::string_view file_name) {
  Result<std::vector<std::vector<Word>>> lines = cut_lines(text, file_name);
  if (!lines) return lines.failure();
  Policies policies;
  bool has_default = false;
  for (const std::vector<Word>& words : *lines) {
    if (!equal_ignoring_case(words.front().text, "DEFAULT")) continue;
    if (std::exchange(has_default, true))
      return wrong(file_name, words.front().line,
                   "there is a line for DEFAULT before it; make one of the two");
    Result<std::vector<std::string>> kept = parameter_words(words, 1, file_name);
    if (!kept) return kept.failure();
    policies.default_words = std::move(*kept);
  }
  for (const std::vector<Word>& words : *lines) {
    const auto& [name, line] = words.front();
    if (equal_ignoring_case(name, "DEFAULT")) continue;
    if (!is_parameter_name(name) || name.empty())
      return wrong(file_name, line,
                   "\"" + printable(name, 80) + "\" is no name; write one of A-Z, a-z, 0-9, - and _");
    if (policies.find(name) != nullptr)
      return wrong(file_name, line, "there is a policy " + name + " before it; remove one of the two");
    const std::optional<AccessRule> rule = words.size() > 1 ? parse_access_rule(words[1].text) : std::nullopt;
    if (!rule)
      return wrong(file_name, line,
                   "behind the name " + name +
                       " stands no access rule; write ACCEPT, REJECT, TCPREFUSE, RELAY or CONTINUE");
    Result<std::vector<std::string>> own = parameter_words(words, 2, file_name);
    if (!own) return own.failure();
    if (policies.lines.size() == kPoliciesLimit)
      return wrong(file_name, line, "there are more than 10000 policies; remove some");
    PolicyLine made{.name = name, .line = line, .rule = *rule, .words = policies.default_words};
    std::move(own->begin(), own->end(), std::back_inserter(made.words));
    policies.lines.push_back(std::move(made));
  }
  return policies;
}

Result<MailFlowPolicy> make_policy(const PolicyLine& line) {
  MailFlowPolicy policy;
  ParameterLine all{.number = line.line, .words = {line.name}};
  for (const std::string& word : line.words) all.words.emplace_back(word);
  if (const std::string why = set_parameters(kPolicyParameters, all, policy); !why.empty())
    return permanent("use the policy " + line.name + ": " + why, 55, "5.3.5");
  policy.name = line.name;
  policy.rule = line.rule;
  return policy;
}

std::vector<std::pair<std::string, std::string>> policy_parameters(const MailFlowPolicy& policy) {
  std::vector<std::pair<std::string, std::string>> all;
  for (const PolicyParameter& row : kPolicyRows) all.emplace_back(row.name, row.get(policy));
  return all;
}

}  // namespace postern
