#include "smtpd/admission.h"

#include <optional>
#include <string_view>

#include "lib/text.h"
#include "receipt/client_questions.h"
#include "receipt/hat_files.h"
#include "receipt/tcp_rules.h"

namespace postern::smtpd {

namespace {

constexpr const char* kRelayPolicy = "RELAYED";
constexpr const char* kRelayGroup = "RELAYLIST";
constexpr size_t kVariableBytes = 100;

// Where no table says anything, the limits of control/ alone hold.
MailFlowPolicy without_limits() {
  MailFlowPolicy policy;
  policy.max_message_size = 0;
  policy.max_connections = 0;
  policy.max_messages_per_connection = 0;
  policy.max_recipients_per_message = 0;
  policy.max_invalid_recipients = 0;
  return policy;
}

Result<HatMatch> by_environment(const OpenedHat& hat, std::string_view policy, bool relays) {
  Result<std::optional<HatMatch>> match = match_by_policy(hat.table, policy.empty() ? kRelayPolicy : policy);
  if (!match) return match.failure();
  if (!*match && !policy.empty())
    return temporary("use the policy \"" + printable(policy, 80) +
                         "\" of POSTERN_POLICY: control/policies has none of that name; add it, and run "
                         "postern-hat compile",
                     55, "4.3.5");
  HatMatch found = match->value_or(HatMatch{.policy = without_limits()});
  found.group = relays ? kRelayGroup : "None";
  found.entry = policy.empty() ? "RELAYCLIENT" : "POSTERN_POLICY";
  if (relays) found.policy.rule = AccessRule::relay;
  return found;
}

// A message keeps what it is to be spared when it is accepted; a later change of the policy changes nothing
// about it.
void set_skips(const MailFlowPolicy& policy, Environment& environment) {
  std::string skips = environment.get_or("POSTERN_SKIP", "");
  if (!policy.anti_virus) skips += skips.empty() ? "antivirus" : " antivirus";
  if (!policy.anti_spam) skips += skips.empty() ? "antispam" : " antispam";
  if (!skips.empty()) environment.set("POSTERN_SKIP", skips);
}

// As in Cisco's texts.
void fill_in(std::string& text, const SenderGroup& group, const Environment& environment) {
  const std::pair<std::string_view, std::string> variables[] = {
      {"$RemoteIP", environment.get_or("TCPREMOTEIP", "")},
      {"$Hostname", environment.get_or("TCPREMOTEHOST", "unknown")},
      {"$Group", group.name},
      {"$HATEntry", group.entry},
  };
  for (const auto& [name, value] : variables) {
    const std::string safe = printable(value, kVariableBytes);
    for (size_t at = text.find(name); at != std::string::npos; at = text.find(name, at + safe.size()))
      text.replace(at, name.size(), safe);
  }
}

void set_variables(Admission& admission, Environment& environment) {
  if (admission.group.name != "None") environment.set("POSTERN_SENDERGROUP", admission.group.name);
  if (!admission.policy.name.empty()) environment.set("POSTERN_POLICY", admission.policy.name);
  if (admission.policy.rule == AccessRule::relay && !environment.get("RELAYCLIENT"))
    environment.set("RELAYCLIENT", "");
  set_skips(admission.policy, environment);
  fill_in(admission.policy.banner.text, admission.group, environment);
  fill_in(admission.policy.reject.text, admission.group, environment);
}

Admission admission_of(HatMatch&& match, const std::string& file) {
  SenderGroup group{
      .name = std::move(match.group), .entry = printable(match.entry, 200), .score = score_text(match.score)};
  if (match.line != 0) group.where = file + ":" + std::to_string(match.line);
  if (match.policy_line != 0) group.policy_where = "control/policies:" + std::to_string(match.policy_line);
  group.host_verified = match.host && match.host->state == HostName::State::verified;
  return {.policy = std::move(match.policy), .group = std::move(group), .steps = std::move(match.steps)};
}

}  // namespace

Result<Admission> admit(Environment& environment, const AdmissionTrial* trial) {
  const std::string listener = environment.get_or("POSTERN_LISTENER", "smtpd");
  const std::string policy = environment.get_or("POSTERN_POLICY", "");
  const bool relays = environment.get("RELAYCLIENT").has_value();
  Result<std::optional<OpenedHat>> hat = open_hat(listener);
  if (!hat) return hat.failure();
  Admission admission;
  if (!*hat) {
    if (!policy.empty())
      return temporary(
          "use the policy \"" + printable(policy, 80) +
              "\" of POSTERN_POLICY: there is no compiled control/hat, which holds the policies; "
              "write one, and run postern-hat compile",
          55, "4.3.5");
    admission.policy = without_limits();
    if (!relays) return admission;
    admission.policy.rule = AccessRule::relay;
    admission.group.name = kRelayGroup;
    admission.group.entry = "RELAYCLIENT";
    return admission;
  }
  if (relays || !policy.empty()) {
    Result<HatMatch> match = by_environment(**hat, policy, relays);
    if (!match) return match.failure();
    admission = admission_of(std::move(*match), (*hat)->file);
    set_variables(admission, environment);
    return admission;
  }
  const std::string ip = environment.get_or("TCPREMOTEIP", "");
  const std::optional<AddressKey> address = parse_address(ip);
  if (!address)
    return temporary("find the sender group of \"" + printable(ip, 60) +
                         "\": TCPREMOTEIP is no address; start smtpd under a UCSPI server, or set it",
                     55, "4.3.5");
  ClientQuestions questions(*address, environment.get_or("TCPREMOTEHOST", ""),
                            environment.get(kHostVerified).has_value());
  if (trial != nullptr) questions.only_look();
  if (trial != nullptr && !trial->dns.empty()) questions.ask_dns_of(trial->dns);
  if (trial != nullptr && trial->has_score) questions.take_score(trial->score);
  Result<HatMatch> match = match_client((*hat)->table, *address, questions.questions(), trial != nullptr);
  if (!match) return match.failure();
  const std::string zone = match->dns_list;
  if (match->host && match->host->state == HostName::State::verified)
    environment.set("TCPREMOTEHOST", match->host->names.front());
  admission = admission_of(std::move(*match), (*hat)->file);
  if (!zone.empty() && admission.policy.rule == AccessRule::reject && admission.policy.reject.text.empty())
    admission.group.list_text = questions.list_text(zone);
  set_variables(admission, environment);
  return admission;
}

void do_not_relay(Admission& admission, Environment& environment) {
  if (admission.policy.rule == AccessRule::relay) admission.policy.rule = AccessRule::accept;
  environment.unset("RELAYCLIENT");
  environment.unset("POSTERN_SKIP");
}

}  // namespace postern::smtpd
