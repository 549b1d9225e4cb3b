#include "smtpd/changed_client.h"

#include <array>

#include "receipt/tcp_rules.h"

namespace postern::smtpd {

namespace {

// Who the client is, and what follows from it. Not POSTERN_POLICY: a listener's own (that of submission asks
// for AUTH) holds for whoever comes through a proxy, too.
constexpr std::array kOfClient = {"RELAYCLIENT",  "TCPREMOTEHOST",       "TCPREMOTEINFO", "TCPLOCALHOST",
                                  "POSTERN_AUTH", "POSTERN_SENDERGROUP", "POSTERN_HELO",  "POSTERN_ICID",
                                  "POSTERN_SKIP", kHostVerified};

}  // namespace

Result<ChangedClient> change_client(Environment environment, const ProxiedClient& client,
                                    const Environment& listener) {
  // postern-smtpd --serve has seen to it that there are rules where there must be.
  const Result<TcpRule> old_rule = tcp_rule_of(environment.get_or("TCPREMOTEIP", ""), NoRules::allow);
  if (!old_rule) return old_rule.failure();
  for (const auto& [name, value] : old_rule->variables) {
    const std::optional<std::string_view> own = listener.get(name);
    own ? environment.set(name, *own) : environment.unset(name);
  }
  for (const char* name : kOfClient) environment.unset(name);
  const std::pair<const char*, const std::string*> values[] = {{"TCPREMOTEIP", &client.remote_ip},
                                                               {"TCPREMOTEPORT", &client.remote_port},
                                                               {"TCPLOCALIP", &client.local_ip},
                                                               {"TCPLOCALPORT", &client.local_port}};
  for (const auto& [name, value] : values) {
    if (!value->empty()) environment.set(name, *value);
  }
  const Result<TcpRule> rule = tcp_rule_of(client.remote_ip, NoRules::allow);
  if (!rule) return rule.failure();
  for (const auto& [name, value] : rule->variables) environment.set(name, value);
  return ChangedClient{.environment = std::move(environment), .denied = rule->deny};
}

}  // namespace postern::smtpd
