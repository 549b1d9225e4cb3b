#include "smtpd/trace.h"

#include <algorithm>

#include "lib/child.h"
#include "lib/fd.h"
#include "lib/text.h"
#include "receipt/listener_environment.h"
#include "receipt/proxies.h"
#include "receipt/rated_line.h"
#include "receipt/tcp_rules.h"
#include "smtpd/session.h"
#include "smtpd/tls_layer.h"

namespace postern::smtpd {

namespace {

constexpr int64_t kSessionMilliseconds = 600000;
constexpr int64_t kDnsMilliseconds = 20000;
constexpr size_t kRepliesLimitBytes = size_t{16} << 20;

Result<Environment> environment_of(const TraceQuestion& question, Trace& traced) {
  Environment environment;
  environment.set("PROTO", "TCP");
  environment.set("POSTERN_DRYRUN", "1");
  environment.set("TCPREMOTEIP", question.ip);
  environment.set("POSTERN_LISTENER", question.listener);
  if (!question.local_ip.empty()) environment.set("TCPLOCALIP", question.local_ip);
  if (!question.host.empty()) {
    environment.set("TCPREMOTEHOST", question.host);
    environment.set(kHostVerified, "");
  }
  Result<ListenerVariables> variables = set_listener_variables(question.listener, environment);
  if (!variables) return variables.failure();
  traced.listener_variables = std::move(variables->said);
  Result<TcpRule> rule = tcp_rule_of(question.ip, variables->is_service ? NoRules::refuse : NoRules::allow);
  if (!rule) return rule.failure();
  traced.denied = rule->deny;
  if (rule->deny) traced.tcp_rule = "denies the address";
  for (const auto& [name, value] : rule->variables) {
    traced.tcp_rule.append(traced.tcp_rule.empty() ? "sets " : ", ").append(name + "=" + value);
    environment.set(name, value);
  }
  return environment;
}

// RFC 5321, 4.1.3
std::string address_literal(const std::string& ip) {
  return (ip.find(':') == std::string::npos ? "[" : "[IPv6:") + ip + "]";
}

std::vector<std::string> commands_of(const TraceQuestion& question, const std::string& mechanism) {
  std::vector<std::string> commands = {
      "EHLO " + (question.helo.empty() ? address_literal(question.ip) : question.helo)};
  if (!question.user.empty()) commands.push_back("AUTH " + mechanism);
  const auto is_ascii = [](const std::string& address) {
    return std::all_of(address.begin(), address.end(),
                       [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  };
  const bool ascii = is_ascii(question.sender) &&
                     std::all_of(question.recipients.begin(), question.recipients.end(), is_ascii);
  commands.push_back("MAIL FROM:<" + question.sender + (ascii ? ">" : "> SMTPUTF8"));
  for (const std::string& recipient : question.recipients) commands.push_back("RCPT TO:<" + recipient + ">");
  return commands;
}

// Looks where a real conversation would count; the places of connections are not looked at.
std::optional<RateAnswer> look_at_rates(RatedLine& line, std::span<const RateCheck> checks) {
  std::vector<RateCheck> looks;
  std::vector<size_t> which;
  for (size_t i = 0; i < checks.size(); ++i) {
    if (checks[i].what == RateCheck::What::slot) continue;
    looks.push_back(checks[i]);
    looks.back().what = RateCheck::What::look;
    which.push_back(i);
  }
  if (looks.empty()) return RateAnswer{};
  std::optional<RateAnswer> answer = line.ask(looks);
  if (answer && answer->over) answer->check = which.at(answer->check);
  return answer;
}

Trial trial_of(Trace& traced, RatedLine& rated) {
  return {
      .command =
          [&traced](std::string_view line) {
            traced.steps.push_back(
                {.command = std::string(line), .decisions = {}, .recipients = {}, .reply = {}});
          },
      .decided = [&traced](const Decision& decision) { traced.steps.back().decisions.push_back(decision); },
      .judged =
          [&traced](const RecipientVerdict& verdict) {
            TraceStep& step = traced.steps.back();
            step.decisions.insert(step.decisions.end(), verdict.steps.begin(), verdict.steps.end());
            step.recipients = verdict.recipients;
          },
      .ask_rates = [&rated](std::span<const RateCheck> checks) { return look_at_rates(rated, checks); }};
}

// One reply is one or more lines; each step has one, in their order. The last words of a conversation that
// ended early stand behind the reply of the command that they answer.
void share_out(std::string_view replies, Trace& traced) {
  size_t step = 0;
  for (const std::string_view line : split(replies, '\n')) {
    if (line.empty() || step >= traced.steps.size()) continue;
    std::string& reply = traced.steps[step].reply;
    reply.append(line.ends_with('\r') ? line.substr(0, line.size() - 1) : line).append("\n");
    if (line.size() < 4 || line[3] != '-') ++step;
  }
  for (TraceStep& one : traced.steps) {
    if (!one.reply.starts_with('2')) one.recipients.clear();
  }
}

// Encrypted from the beginning, or never: STARTTLS is only offered, as far as somebody could begin it.
TlsLayer tls_of(const TraceQuestion& question, Environment& environment) {
  TlsLayer layer = choose_tls_layer(environment, 0, 0);
  TlsLayer tls;
  if (question.tls || layer.immediate) {
    tls.begun = TlsFacts{};
  } else {
    tls.offered = std::move(layer.offered);
  }
  return tls;
}

Result<void> converse(const TraceQuestion& question, Settings& settings, Environment environment,
                      Trace& traced) {
  Result<std::string> mechanisms = read_auth_mechanisms(settings);
  if (!mechanisms) return mechanisms.failure();
  std::string input;
  const std::vector<std::string> commands =
      commands_of(question, mechanisms->substr(0, mechanisms->find(' ')));
  for (const std::string& command : commands) input += command + "\r\n";
  Result<Fd> in = memory_file_with("commands", input);
  Result<Fd> out = memory_file("replies");
  Result<Fd> lines = memory_file("log");
  if (!in || !out || !lines) return (!in ? in : !out ? out : lines).failure();
  // Nobody is made to wait.
  settings.policy.greet_delay = 0;
  settings.policy.tarpit = 0;
  RatedLine rated;
  Rules rules;
  rules.trial = trial_of(traced, rated);
  if (!question.given.dns.empty())
    rules.ask_dns = dns_asker(question.given.dns, now_milliseconds() + kDnsMilliseconds);
  EventLog log(settings.icid, lines->get());
  Client client(in->get(), out->get(),
                {.idle_milliseconds = kSessionMilliseconds,
                 .session_deadline = now_milliseconds() + kSessionMilliseconds,
                 .command_bytes = kMostCommandBytes},
                [] {});
  const auto nothing = [](int, const Envelope&, const Environment&) { return QueueAnswer{}; };
  traced.steps.emplace_back();
  TlsLayer tls = tls_of(question, environment);
  Session session(settings, std::move(rules), std::move(environment), client, log, nothing, std::move(tls));
  // Whether he may log in here is the session's to say; that he can is the question's.
  session.ask_instead([&question](const std::string&, const std::string&, const Secret*, const Settings&) {
    return Result<postern::Reply>(
        postern::Reply{.exit_code = static_cast<int>(AuthCode::authenticated), .output = question.user});
  });
  session.run();
  client.flush();
  Result<std::string> replies = read_whole(out->get(), kRepliesLimitBytes, "read the replies");
  if (!replies) return replies.failure();
  share_out(*replies, traced);
  for (size_t said = traced.steps.size() - 1; said < commands.size(); ++said)
    traced.not_said.push_back(commands[said]);
  return {};
}

}  // namespace

int Trace::worst_code() const {
  int worst = denied || !not_said.empty() ? 4 : 0;
  for (const TraceStep& step : steps) {
    if (!step.reply.starts_with('2')) worst = std::max(worst, step.reply.starts_with('4') ? 4 : 5);
  }
  return denied ? 5 : worst;
}

Result<Trace> trace(const TraceQuestion& question) {
  Trace traced;
  Result<Environment> environment = environment_of(question, traced);
  if (!environment) return environment.failure();
  if (traced.denied) return traced;
  Result<Proxies> proxies = Proxies::read();
  if (!proxies) return proxies.failure();
  // One that brings nobody: its own checks of whether we are there.
  const Proxy* proxy = proxies->find(question.ip);
  traced.is_proxy = proxy != nullptr && proxy->says_proxy;
  if (traced.is_proxy) environment->unset("RELAYCLIENT");
  Result<Admission> admission = admit(*environment, &question.given);
  if (!admission) return admission.failure();
  if (traced.is_proxy) do_not_relay(*admission, *environment);
  Result<Settings> settings = read_settings(*environment);
  if (!settings) return settings.failure();
  settings->may_xclient = proxy != nullptr && proxy->says_xclient;
  traced.host = settings->remote_host;
  traced.admission = std::move(*admission);
  settings->policy = traced.admission.policy;
  settings->sender_group = traced.admission.group;
  if (Result<void> done = converse(question, *settings, std::move(*environment), traced); !done)
    return done.failure();
  return traced;
}

}  // namespace postern::smtpd
