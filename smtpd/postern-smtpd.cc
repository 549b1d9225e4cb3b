// postern-smtpd - hold the SMTP conversation with one client, and hand each message to the queue program.
//
//   fd 0 in    from the client         fd 1 out   to the client         fd 2 out   the event log
//   env        TCPREMOTEIP, TCPREMOTEHOST, TCPLOCALIP (UCSPI), RELAYCLIENT, DATABYTES, QMAILQUEUE,
//              POSTERN_LISTENER, POSTERN_ICID, POSTERN_HOME
//   control    proxies, me, smtpgreeting, timeoutsmtpd, sessionseconds, commandbytes at the start; when they
//   are needed
//              databytes, access, rcpthosts, locals, morercpthosts.cdb, maxrcpt, barelf, linebytes,
//              headerbytes, maxhops, minfreememory, maxerrors, maxcommands
//   user       posternd
//   exit       0 the conversation is over, 111 it could not begin
//
// A message is answered with 250 after the queue program has exited 0, and never else.

#include <unistd.h>

#include "lib/child.h"
#include "lib/log.h"
#include "lib/program.h"
#include "lib/submit.h"
#include "lib/text.h"
#include "receipt/proxies.h"
#include "smtpd/changed_client.h"
#include "smtpd/connections.h"
#include "smtpd/session.h"

namespace postern::smtpd {
namespace {

constexpr int64_t kQueueMilliseconds = 240000;
constexpr unsigned kAlarmMarginSeconds =
    900;  // beyond every deadline of ours: something hangs where nothing may

constexpr int64_t kProxyMilliseconds = 10000;  // a proxy says at once whom it brings

struct Caller {
  Environment environment;
  bool may_xclient = false;
  bool denied = false;
};

int not_configured(const Failure& failure) {
  log_critical("begin a conversation", failure.text);
  (void)write_all(1, reply_line(smtp_reply(Reply::not_configured)), "write to the client");
  return 111;
}

bool is_denied(bool denied, const Environment& environment) {
  if (denied)
    log_info("Connection from " + printable(environment.get_or("TCPREMOTEIP", ""), 64) +
             " denied by control/tcp.smtp.cdb");
  return denied;
}

// The client, or whom a proxy brings, which says so before the greeting. Nothing: it did not say so as it
// should have; that has been logged.
Result<std::optional<Caller>> meet_caller() {
  Caller caller{.environment = Environment::of_process()};
  const Result<Proxies> proxies = Proxies::read();
  if (!proxies) return proxies.failure();
  const std::string proxy_ip = caller.environment.get_or("TCPREMOTEIP", "");
  const Proxy* proxy = proxies->find(proxy_ip);
  if (proxy == nullptr) return std::optional(std::move(caller));
  caller.may_xclient = proxy->says_xclient;
  if (!proxy->says_proxy) return std::optional(std::move(caller));
  const Result<ProxyHeader> header = read_proxy_header(0, now_milliseconds() + kProxyMilliseconds);
  if (!header) {
    log_warning("take a connection of the proxy " + proxy_ip, header.failure());
    return std::optional<Caller>();
  }
  if (!header->client) {  // its own: to see whether we are there
    caller.environment.unset("RELAYCLIENT");
    return std::optional(std::move(caller));
  }
  Result<ChangedClient> changed = change_client(std::move(caller.environment), *header->client);
  if (!changed) return changed.failure();
  caller.environment = std::move(changed->environment);
  caller.denied = changed->denied;
  log_info("Proxy " + proxy_ip + " brings " + header->client->remote_ip);
  return std::optional(std::move(caller));
}

// Whom XCLIENT has named; the proxy's address where it named none.
Result<Caller> become_caller(const Environment& before, const XclientRequest& request) {
  const ProxiedClient client{.remote_ip = request.address.value_or(before.get_or("TCPREMOTEIP", "")),
                             .remote_port = request.port.value_or(""),
                             .local_ip = request.local_address.value_or(""),
                             .local_port = request.local_port.value_or("")};
  Result<ChangedClient> changed = change_client(before, client);
  if (!changed) return changed.failure();
  Environment& environment = changed->environment;
  if (!request.name.value_or("").empty()) environment.set("TCPREMOTEHOST", *request.name);
  if (!request.login.value_or("").empty()) environment.set("POSTERN_AUTH", *request.login);
  return Caller{.environment = std::move(environment), .may_xclient = true, .denied = changed->denied};
}

// One session after another: XCLIENT makes the connection another client's.
int hold_sessions(Caller caller, Settings settings) {
  std::optional<EventLog> log;
  log.emplace(settings.icid);
  const int64_t session_milliseconds = static_cast<int64_t>(settings.session_seconds) * 1000;
  Client client(0, 1,
                {.idle_milliseconds = static_cast<int64_t>(settings.idle_seconds) * 1000,
                 .session_deadline = now_milliseconds() + session_milliseconds,
                 .command_bytes = settings.command_bytes},
                [&log] { log->flush(); });
  const auto hand_on = [&](int message, const Envelope& envelope, const Environment& with) {
    return submit(settings.queue_program, message, envelope, with, now_milliseconds() + kQueueMilliseconds);
  };
  XclientRequest said;
  for (;;) {
    settings.may_xclient = caller.may_xclient;
    Session session(settings, Rules{}, caller.environment, client, *log, hand_on);
    session.known_as(said.helo.value_or(""), said.protocol.value_or("SMTP") == "ESMTP");
    session.run();
    if (!session.new_client()) return 0;
    said = *session.new_client();
    Result<Caller> next = become_caller(caller.environment, said);
    if (next && is_denied(next->denied, next->environment)) return 0;
    Result<Settings> read = next ? read_settings(next->environment) : next.failure();
    if (!read) return not_configured(read.failure());
    caller = std::move(*next);
    settings = std::move(*read);
    log_info("ICID " + std::to_string(settings.icid) + " is the client " + settings.remote_ip +
             " of the proxy, by XCLIENT");
    log.emplace(settings.icid);
  }
}

int converse() {
  Result<std::optional<Caller>> met = meet_caller();
  if (!met) return not_configured(met.failure());
  if (!met->has_value()) return 0;
  Caller& caller = **met;
  if (is_denied(caller.denied, caller.environment)) return 0;
  Result<Settings> settings = read_settings(caller.environment);
  if (!settings) return not_configured(settings.failure());
  ::alarm(static_cast<unsigned>(settings->session_seconds + settings->idle_seconds) + kAlarmMarginSeconds);
  return hold_sessions(std::move(caller), std::move(*settings));
}

int run(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--serve") return serve_connections(argv, converse);
  if (argc > 1) {
    log_critical("start", "usage: postern-smtpd [--serve]");
    return 100;
  }
  return converse();
}

}  // namespace
}  // namespace postern::smtpd

int main(int argc, char** argv) {
  return postern::run_program("postern-smtpd", {.no_memory = 111, .bug = 111}, postern::smtpd::run, argc,
                              argv);
}
