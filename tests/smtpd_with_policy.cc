// postern-smtpd with a mail flow policy that the command line gives, for tests of what policies switch on:
//   smtpd-with-policy [auth=preferred|required] [auth_without_tls] [check_user]
#include <cstring>

#include "lib/child.h"
#include "lib/log.h"
#include "lib/program.h"
#include "lib/submit.h"
#include "smtpd/session.h"

using namespace postern;
using namespace postern::smtpd;

namespace {

int run(int argc, char** argv) {
  const Environment environment = Environment::of_process();
  Result<Settings> settings = read_settings(environment);
  if (!settings) {
    log_critical("begin a conversation", settings.failure().text);
    return 111;
  }
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "auth=preferred") settings->policy.auth = AuthUse::preferred;
    if (word == "auth=required") settings->policy.auth = AuthUse::required;
    if (word == "auth_without_tls") settings->policy.auth_without_tls = true;
    if (word == "check_user") settings->policy.check_user = true;
  }
  EventLog log(settings->icid);
  Client client(0, 1,
                {.idle_milliseconds = 60000,
                 .session_deadline = now_milliseconds() + 120000,
                 .command_bytes = settings->command_bytes},
                [&log] { log.flush(); });
  const auto hand_on = [&](int message, const Envelope& envelope, const Environment& with) {
    return submit(settings->queue_program, message, envelope, with, now_milliseconds() + 60000);
  };
  Session(*settings, Rules{}, environment, client, log, hand_on).run();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("smtpd-with-policy", {}, run, argc, argv);
}
