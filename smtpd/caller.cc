#include "smtpd/caller.h"

#include "lib/child.h"
#include "lib/log.h"
#include "receipt/tcp_rules.h"
#include "smtpd/changed_client.h"
#include "smtpd/proxy_protocol.h"

namespace postern::smtpd {

namespace {

constexpr int64_t kProxyMilliseconds = 10000;  // a proxy says at once whom it brings

}  // namespace

Result<std::optional<Caller>> meet_caller(int fd, const Proxies& proxies, Environment listener) {
  Caller caller{.environment = Environment::of_process(), .listener = std::move(listener)};
  const std::string ip = caller.environment.get_or("TCPREMOTEIP", "");
  const Proxy* proxy = proxies.find(ip);
  if (proxy == nullptr || !proxy->says_proxy) return std::optional(std::move(caller));
  const Result<ProxyHeader> header = read_proxy_header(fd, now_milliseconds() + kProxyMilliseconds);
  if (!header) {
    log_warning("take a connection of the proxy " + ip, header.failure());
    return std::optional<Caller>();
  }
  caller.is_proxy = !header->client;
  if (caller.is_proxy) {
    caller.environment.unset("RELAYCLIENT");
    return std::optional(std::move(caller));
  }
  Result<ChangedClient> changed =
      change_client(std::move(caller.environment), *header->client, caller.listener);
  if (!changed) return changed.failure();
  log_info("Proxy " + ip + " brings " + header->client->remote_ip);
  return std::optional(Caller{.environment = std::move(changed->environment),
                              .listener = std::move(caller.listener),
                              .denied = changed->denied});
}

Result<Caller> become_caller(const Caller& before, const XclientRequest& request) {
  const ProxiedClient client{
      .remote_ip = request.address.value_or(before.environment.get_or("TCPREMOTEIP", "")),
      .remote_port = request.port.value_or(""),
      .local_ip = request.local_address.value_or(""),
      .local_port = request.local_port.value_or("")};
  Result<ChangedClient> changed = change_client(before.environment, client, before.listener);
  if (!changed) return changed.failure();
  Environment& environment = changed->environment;
  if (!request.name.value_or("").empty()) {
    environment.set("TCPREMOTEHOST", *request.name);
    environment.set(kHostVerified, "");
  }
  if (!request.login.value_or("").empty()) environment.set("POSTERN_AUTH", *request.login);
  return Caller{
      .environment = std::move(environment), .listener = before.listener, .denied = changed->denied};
}

bool may_say_xclient(const Caller& caller, const Proxies& proxies) {
  const Proxy* proxy = proxies.find(caller.environment.get_or("TCPREMOTEIP", ""));
  return proxy != nullptr && proxy->says_xclient;
}

}  // namespace postern::smtpd
