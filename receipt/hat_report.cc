#include "receipt/hat_report.h"

#include "lib/control.h"
#include "lib/json_text.h"
#include "lib/text.h"
#include "receipt/client_questions.h"
#include "receipt/hat_files.h"
#include "receipt/tcp_rules.h"

namespace postern {

namespace {

constexpr std::string_view kPolicies = "control/policies";

std::string line_of(std::string_view file, size_t line) {
  return std::string(file) + (line == 0 ? "" : ":" + std::to_string(line));
}

struct Found {
  const HatInquiry& inquiry;
  const OpenedHat& hat;
  const HatMatch& match;
  std::vector<std::string> notes{};
};

std::string as_json(const Found& found) {
  const HatMatch& match = found.match;
  Json answer;
  answer["address"] = address_text(found.inquiry.address);
  if (match.host) answer["hosts"] = match.host->names;
  answer["table"] = found.hat.file;
  answer["group"] = match.group;
  answer["entry"] = match.entry;
  answer["line"] = match.line;
  answer["score"] = match.score_asked ? score_text(match.score) : "None";
  answer["policy"] = match.policy.name;
  answer["policy_line"] = match.policy_line;
  answer["rule"] = access_rule_name(match.policy.rule);
  for (const auto& [name, value] : policy_parameters(match.policy)) answer["parameters"][name] = value;
  answer["steps"] = match.steps;
  if (!found.notes.empty()) answer["notes"] = found.notes;
  return json_line(answer) + "\n";
}

std::string as_text(const Found& found) {
  const HatMatch& match = found.match;
  std::string text = "address: " + address_text(found.inquiry.address) + "\n";
  for (const std::string& step : match.steps) text += "  " + step + "\n";
  text += "group: " + match.group + "\n";
  text += "entry: " + printable(match.entry) + " (" +
          (match.line == 0 ? "behind the end of " + found.hat.file : line_of(found.hat.file, match.line)) +
          ")\n";
  const bool bare = match.policy.name.empty();
  text += "policy: " + (bare ? "the rule alone" : match.policy.name) +
          (match.policy_line == 0 ? "" : " (" + line_of(kPolicies, match.policy_line) + ")") + "\n";
  text += "rule: " + std::string(access_rule_name(match.policy.rule)) + "\n";
  const auto defaults = policy_parameters(MailFlowPolicy{});
  const auto values = policy_parameters(match.policy);
  for (size_t i = 0; i < values.size(); ++i)
    if (values[i].second != defaults[i].second)
      text += "  " + values[i].first + "=" + values[i].second + "\n";
  for (const std::string& note : found.notes) text += "note: " + note + "\n";
  return text;
}

// What wins over the table.
std::vector<std::string> notes_of_tcp_rules(const AddressKey& address) {
  const Result<TcpRule> rule = tcp_rule_of(address_text(address), NoRules::allow);
  if (!rule) return {rule.failure().text};
  std::vector<std::string> notes;
  if (rule->deny) notes.push_back(std::string(kTcpRules) + " denies this address: it is never looked up");
  for (const auto& [name, value] : rule->variables) {
    if (name == "RELAYCLIENT" || name == "POSTERN_POLICY" || name == "POSTERN_LISTENER")
      notes.push_back(std::string(kTcpRules) + " sets " + name + "=" + printable(value, 80) +
                      " for this address, and that wins over the table" +
                      (name == "RELAYCLIENT" ? ": it relays, with the policy RELAYED" : ""));
  }
  return notes;
}

}  // namespace

Result<std::string> report_on_client(const HatInquiry& inquiry) {
  Result<std::optional<OpenedHat>> hat = open_hat(inquiry.listener);
  if (!hat) return hat.failure();
  if (!*hat) return permanent("there is no " + home_path("control/hat") + ": every client is let in");
  ClientQuestions questions(inquiry.address, inquiry.host, true);
  questions.only_look();
  if (!inquiry.dns.empty()) questions.ask_dns_of(inquiry.dns);
  if (inquiry.has_score) questions.take_score(inquiry.score);
  Result<HatMatch> match = match_client((*hat)->table, inquiry.address, questions.questions(), true);
  if (!match) return match.failure();
  const std::string file = (*hat)->file;
  const bool stale = is_stale(file == hat_file("") ? "" : std::string_view(inquiry.listener));
  Found found{
      .inquiry = inquiry, .hat = **hat, .match = *match, .notes = notes_of_tcp_rules(inquiry.address)};
  if (stale)
    found.notes.push_back(file + " or " + std::string(kPolicies) +
                          " has changed since it was compiled; run postern-hat compile");
  return inquiry.json ? as_json(found) : as_text(found);
}

}  // namespace postern
