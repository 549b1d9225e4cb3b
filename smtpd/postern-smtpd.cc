// postern-smtpd - hold the SMTP conversation with one client, and hand each message to the queue program.
//
//   fd 0 in    from the client         fd 1 out   to the client         fd 2 out   the event log
//   env        TCPREMOTEIP, TCPREMOTEHOST, TCPLOCALIP (UCSPI), RELAYCLIENT, DATABYTES, QMAILQUEUE,
//              POSTERN_LISTENER, POSTERN_POLICY, POSTERN_ICID, POSTERN_HOME, POSTERN_TLS; SSLCTLFD,
//              SSLREADFD, SSLWRITEFD, SSL_PROTOCOL, SSL_CIPHER (UCSPI-TLS)
//   control    hat.bin or hat.LISTENER.bin, me, smtpgreeting, timeoutsmtpd, sessionseconds, commandbytes at
//   the start; when they are needed
//              databytes, badmailfrom, rcpthosts, locals, morercpthosts.cdb, maxrcpt, barelf, linebytes,
//              headerbytes, maxhops, minfreememory, maxerrors, maxcommands, dnsq,
//              senderexceptions.cdb, defaultdomain, defaultdomain.LISTENER
//   user       posternd
//   exit       0 the conversation is over, 111 it could not begin
//
// A message is answered with 250 after the queue program has exited 0, and never else.

#include <unistd.h>

#include "lib/child.h"
#include "lib/log.h"
#include "lib/program.h"
#include "lib/submit.h"
#include "smtpd/connections.h"
#include "smtpd/session.h"

namespace postern::smtpd {
namespace {

constexpr int64_t kQueueMilliseconds = 240000;
constexpr unsigned kAlarmMarginSeconds =
    900;  // beyond every deadline of ours: something hangs where nothing may

int converse() {
  Environment environment = Environment::of_process();
  Result<Admission> admission = admit(environment);
  Result<Settings> settings = admission ? read_settings(environment) : admission.failure();
  if (!settings) {
    log_critical("begin a conversation", settings.failure().text);
    (void)write_all(1, reply_line(smtp_reply(Reply::not_configured)), "write to the client");
    return 111;
  }
  settings->policy = std::move(admission->policy);
  settings->sender_group = std::move(admission->group);
  ::alarm(static_cast<unsigned>(settings->session_seconds + settings->idle_seconds) + kAlarmMarginSeconds);
  EventLog log(settings->icid);
  const int64_t session_milliseconds = static_cast<int64_t>(settings->session_seconds) * 1000;
  Client client(0, 1,
                {.idle_milliseconds = static_cast<int64_t>(settings->idle_seconds) * 1000,
                 .session_deadline = now_milliseconds() + session_milliseconds,
                 .command_bytes = settings->command_bytes},
                [&log] { log.flush(); });
  const auto hand_on = [&](int message, const Envelope& envelope, const Environment& with) {
    const bool of_user = !with.get_or("POSTERN_AUTH", "").empty();
    const std::string& program = of_user ? settings->user_queue_program : settings->queue_program;
    return submit(program, message, envelope, with, now_milliseconds() + kQueueMilliseconds);
  };
  TlsLayer tls = choose_tls_layer(environment, static_cast<int64_t>(settings->idle_seconds) * 1000);
  Session(*settings, Rules{}, std::move(environment), client, log, hand_on, std::move(tls)).run();
  return 0;
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
