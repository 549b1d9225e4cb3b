// postern-smtpd - hold the SMTP conversation with one client, and hand each message to the queue program.
//
//   fd 0 in    from the client         fd 1 out   to the client         fd 2 out   the event log
//   env        TCPREMOTEIP, TCPREMOTEHOST, TCPLOCALIP (UCSPI), RELAYCLIENT, DATABYTES, QMAILQUEUE,
//              POSTERN_LISTENER, POSTERN_POLICY, POSTERN_ICID, POSTERN_HOME, POSTERN_TLS; SSLCTLFD,
//              SSLREADFD, SSLWRITEFD, SSL_PROTOCOL, SSL_CIPHER (UCSPI-TLS); NOBADHELO
//   control    proxies, hat.bin or hat.LISTENER.bin, me, smtpgreeting, timeoutsmtpd, sessionseconds,
//              commandbytes at the start; when they are needed
//              databytes, access, rcpthosts, locals, morercpthosts.cdb, maxrcpt, barelf, linebytes,
//              headerbytes, maxhops, minfreememory, maxerrors, maxcommands, dnsq,
//              senderexceptions.cdb, defaultdomain, defaultdomain.LISTENER
//   user       posternd
//   exit       0 the conversation is over, 111 it could not begin
//
// A message is answered with 250 after the queue program has exited 0, and never else.

#include <unistd.h>

#include <algorithm>

#include "lib/child.h"
#include "lib/log.h"
#include "lib/program.h"
#include "lib/submit.h"
#include "lib/text.h"
#include "receipt/proxies.h"
#include "smtpd/caller.h"
#include "smtpd/connections.h"
#include "smtpd/session.h"

namespace postern::smtpd {
namespace {

constexpr int64_t kQueueMilliseconds = 240000;
constexpr unsigned kAlarmMarginSeconds =
    900;  // beyond every deadline of ours: something hangs where nothing may

int not_configured(const Failure& failure) {
  log_critical("begin a conversation", failure.text);
  (void)write_all(1, reply_line(smtp_reply(Reply::not_configured)), "write to the client");
  return 111;
}

bool is_denied(const Caller& caller) {
  if (caller.denied)
    log_info("Connection from " + printable(caller.environment.get_or("TCPREMOTEIP", ""), 64) +
             " denied by control/tcp.smtp.cdb");
  return caller.denied;
}

// What the tables and the settings make of a caller.
struct Beginning {
  Settings settings;
  Environment environment;
};

Result<Beginning> prepare(const Caller& caller, const Proxies& proxies) {
  Environment environment = caller.environment;
  Result<Admission> admission = admit(environment);
  if (!admission) return admission.failure();
  if (caller.is_proxy) do_not_relay(*admission, environment);
  Result<Settings> settings = read_settings(environment);
  if (!settings) return settings.failure();
  settings->policy = std::move(admission->policy);
  settings->sender_group = std::move(admission->group);
  settings->may_xclient = may_say_xclient(caller, proxies);
  return Beginning{.settings = std::move(*settings), .environment = std::move(environment)};
}

// What is encrypted stays so when XCLIENT makes the conversation another's; but the certificate is the
// proxy's.
TlsLayer tls_from_now_on(TlsLayer layer, const std::optional<TlsFacts>& facts) {
  if (!facts) return layer;
  TlsLayer begun;
  begun.begun = TlsFacts{.protocol = facts->protocol, .cipher = facts->cipher, .bits = facts->bits};
  return begun;
}

// One session after another: XCLIENT makes the connection another client's.
int hold_sessions(Caller caller, Beginning now, const Proxies& proxies, const StressSign* stress) {
  std::optional<EventLog> log;
  const int64_t idle_milliseconds = static_cast<int64_t>(now.settings.idle_seconds) * 1000;
  const int64_t session_milliseconds = static_cast<int64_t>(now.settings.session_seconds) * 1000;
  Client client(0, 1,
                {.idle_milliseconds = idle_milliseconds,
                 .session_deadline = now_milliseconds() + session_milliseconds,
                 .command_bytes = now.settings.command_bytes,
                 .stress = stress},
                [&log] { log->flush(); });
  const auto hand_on = [&](int message, const Envelope& envelope, const Environment& with) {
    const bool of_user = !with.get_or("POSTERN_AUTH", "").empty();
    const std::string& program = of_user ? now.settings.user_queue_program : now.settings.queue_program;
    return submit(program, message, envelope, with, now_milliseconds() + kQueueMilliseconds);
  };
  const Stress level = stress == nullptr ? Stress::none : stress->level();
  TlsLayer tls = choose_tls_layer(
      now.environment,
      level == Stress::none ? idle_milliseconds : std::min(idle_milliseconds, stress->patience(Stress::many)),
      now.settings.idle_seconds);
  forget_tls_layer(caller.environment);
  const auto hold = [&](const XclientRequest& said) {
    log.emplace(now.settings.icid);
    Session session(now.settings, Rules{}, std::move(now.environment), client, *log, hand_on, tls);
    session.known_as(said.helo.value_or(""), said.protocol.value_or("SMTP") == "ESMTP");
    session.run();
    tls = tls_from_now_on(std::move(tls), session.tls());
    client.flush();
    return session.new_client();
  };
  for (std::optional<XclientRequest> said = hold({}); said; said = hold(*said)) {
    Result<Caller> next = become_caller(caller, *said);
    if (next && is_denied(*next)) return 0;
    Result<Beginning> beginning = next ? prepare(*next, proxies) : next.failure();
    if (!beginning) return not_configured(beginning.failure());
    log_info("ICID " + std::to_string(now.settings.icid) + " goes on as ICID " +
             std::to_string(beginning->settings.icid) + ", by XCLIENT");
    caller = std::move(*next);
    now = std::move(*beginning);
  }
  return 0;
}

int converse(const StressSign* stress, const Environment& listener) {
  const Result<Proxies> proxies = Proxies::read();
  if (!proxies) return not_configured(proxies.failure());
  Result<std::optional<Caller>> met = meet_caller(0, *proxies, listener);
  if (!met) return not_configured(met.failure());
  if (!met->has_value() || is_denied(**met)) return 0;
  Result<Beginning> beginning = prepare(**met, *proxies);
  if (!beginning) return not_configured(beginning.failure());
  const Settings& settings = beginning->settings;
  ::alarm(static_cast<unsigned>(settings.session_seconds + settings.idle_seconds) + kAlarmMarginSeconds);
  return hold_sessions(std::move(**met), std::move(*beginning), *proxies, stress);
}

int run(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--serve") return serve_connections(argv, converse);
  if (argc > 1) {
    log_critical("start", "usage: postern-smtpd [--serve]");
    return 100;
  }
  return converse(nullptr, {});
}

}  // namespace
}  // namespace postern::smtpd

int main(int argc, char** argv) {
  return postern::run_program("postern-smtpd", {.no_memory = 111, .bug = 111}, postern::smtpd::run, argc,
                              argv);
}
