#include <algorithm>
#include <array>
#include <string_view>

#include "lib/json_text.h"
#include "lib/text.h"
#include "receipt/decision_text.h"
#include "receipt/policies.h"
#include "smtpd/trace.h"

namespace postern::smtpd {

namespace {

constexpr size_t kWhyBytes = 2000;

// The steps that a policy switches off, by the command that they belong to. Clients that relay, or have
// logged in by then, are spared them.
struct Switch {
  std::string_view command;
  std::string_view step;
  std::string_view parameter;
};
constexpr std::array kSwitches = {Switch{"EHLO", "helo", "check_helo"},
                                  Switch{"MAIL", "sender-dns", "verify_sender"},
                                  Switch{"MAIL", "spf", "spf"}};

std::string value_of(const MailFlowPolicy& policy, std::string_view parameter) {
  for (const auto& [name, value] : policy_parameters(policy)) {
    if (name == parameter) return value;
  }
  return "";
}

bool has_logged_in(const Trace& traced) {
  return std::any_of(traced.steps.begin(), traced.steps.end(), [](const TraceStep& step) {
    return step.command.starts_with("AUTH ") && step.reply.starts_with("235");
  });
}

// Why a step that one would look for is not there; empty: it is, or does not belong here.
std::string why_missing(const Switch& one, const Trace& traced, const TraceStep& step) {
  if (!step.command.starts_with(one.command)) return "";
  const bool there = std::any_of(step.decisions.begin(), step.decisions.end(),
                                 [&](const Decision& decision) { return decision.step == one.step; });
  if (there) return "";
  const MailFlowPolicy& policy = traced.admission.policy;
  const std::string value = value_of(policy, one.parameter);
  if (value == "off")
    return (policy.name.empty() ? "no policy" : "policy " + policy.name) + ": " + std::string(one.parameter) +
           "=off";
  if (policy.rule == AccessRule::relay) return "the client relays";
  return one.command != "EHLO" && has_logged_in(traced) ? "the client has logged in" : "";
}

std::string admission_text(const Trace& traced) {
  const auto& [policy, group, steps] = traced.admission;
  std::string text;
  for (const std::string& step : steps) text += "  hat: " + printable(step, kWhyBytes) + "\n";
  const bool has_table = !group.where.empty() || !policy.name.empty() || !steps.empty();
  text += has_table ? "  hat: group " + printable(group.name) + ", entry " + group.entry + ", score " +
                          group.score + (group.where.empty() ? "" : " (" + group.where + ")") + "\n"
                    : "  hat: there is no table, or it is not asked: group " + group.name + "\n";
  text += "  policy: " + (policy.name.empty() ? "the rule alone" : policy.name) + ", " +
          std::string(access_rule_name(policy.rule)) +
          (group.policy_where.empty() ? "" : " (" + group.policy_where + ")") + "\n";
  const auto defaults = policy_parameters(MailFlowPolicy{});
  const auto values = policy_parameters(policy);
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i].second != defaults[i].second)
      text += "    " + values[i].first + "=" + printable(values[i].second) + "\n";
  }
  return text;
}

Json step_json(const Trace& traced, const TraceStep& step) {
  Json one = Json::object();
  put_bytes(one, "command", step.command);
  one["decisions"] = Json::array();
  for (const Switch& each : kSwitches) {
    const std::string why = why_missing(each, traced, step);
    if (!why.empty()) one["decisions"].push_back({{"step", each.step}, {"asked", false}, {"why", why}});
  }
  for (const Decision& decision : step.decisions) one["decisions"].push_back(decision_json(decision));
  put_bytes(one, "reply", step.reply);
  if (step.command.starts_with("RCPT")) {
    one["recipients"] = Json::array();
    for (const std::string& recipient : step.recipients) one["recipients"].push_back(printable(recipient));
  }
  return one;
}

}  // namespace

std::string trace_text(const TraceQuestion& question, const Trace& traced) {
  std::string text = "connection from " + question.ip + ", listener " + question.listener + "\n";
  if (!traced.listener_variables.empty())
    text += "  listener sets: " + printable(traced.listener_variables, kWhyBytes) + "\n";
  if (!traced.tcp_rule.empty())
    text += "  tcp rules: " + printable(traced.tcp_rule) + " (control/tcp.smtp.cdb)\n";
  if (traced.denied) return text;
  if (traced.is_proxy)
    text +=
        "  proxy: it brings clients by the PROXY protocol; where it brings none, as here, it may not relay "
        "(control/proxies)\n";
  text += "  name: " + traced.host + "\n" + admission_text(traced);
  for (const TraceStep& step : traced.steps) {
    if (!step.command.empty()) text += printable(step.command, kWhyBytes) + "\n";
    for (const Switch& each : kSwitches) {
      const std::string why = why_missing(each, traced, step);
      if (!why.empty()) text += "  " + std::string(each.step) + ": not asked (" + why + ")\n";
    }
    for (const Decision& decision : step.decisions) text += "  " + decision_text(decision) + "\n";
    for (const std::string& recipient : step.recipients)
      text += "  recipient: " + printable(recipient) + "\n";
    for (const std::string_view line : split(step.reply, '\n')) {
      if (!line.empty()) text += "-> " + printable(line) + "\n";
    }
    if (step.reply.empty()) text += "-> (the connection is reset)\n";
  }
  for (const std::string& command : traced.not_said)
    text += printable(command, kWhyBytes) + "\n-> (the connection was over)\n";
  return text;
}

std::string trace_json(const TraceQuestion& question, const Trace& traced) {
  const auto& [policy, group, steps] = traced.admission;
  Json answer = Json::object();
  answer["address"] = question.ip;
  answer["listener"] = question.listener;
  if (!traced.listener_variables.empty()) put_bytes(answer, "listener_variables", traced.listener_variables);
  if (!traced.tcp_rule.empty()) put_bytes(answer, "tcp_rules", traced.tcp_rule);
  answer["denied"] = traced.denied;
  if (!traced.denied) {
    put_bytes(answer, "host", traced.host);
    answer["proxy"] = traced.is_proxy;
    answer["hat"] = {
        {"group", group.name}, {"entry", group.entry}, {"score", group.score}, {"where", group.where}};
    answer["hat"]["steps"] = steps;
    answer["policy"] = {
        {"name", policy.name}, {"rule", access_rule_name(policy.rule)}, {"where", group.policy_where}};
    for (const auto& [name, value] : policy_parameters(policy)) answer["policy"]["parameters"][name] = value;
  }
  answer["steps"] = Json::array();
  for (const TraceStep& step : traced.steps) answer["steps"].push_back(step_json(traced, step));
  answer["not_said"] = traced.not_said;
  return json_line(answer) + "\n";
}

}  // namespace postern::smtpd
