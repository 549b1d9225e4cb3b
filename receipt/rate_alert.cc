#include "receipt/rate_alert.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "lib/child.h"
#include "lib/control.h"
#include "lib/environment.h"
#include "lib/fd.h"
#include "lib/log.h"
#include "lib/mid.h"
#include "lib/submit.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr int64_t kQueueMilliseconds = 235000;
constexpr std::array<time_t, 4> kPausesSeconds = {5, 30, 120, 300};  // between one try and the next

Result<void> hand_in(const RateCheck& check) {
  Result<std::string> me = control_me();
  if (!me) return me.failure();
  Result<std::string> to = control_line_or("alertto", "postmaster@" + *me);
  if (!to) return to.failure();
  Result<Fd> file = memory_file_with("alert", rate_alert_mail(check, *me, *to, now_microseconds() / 1000000));
  if (!file) return file.failure();
  if (Result<void> sealed = seal(file->get()); !sealed) return sealed;
  Envelope envelope;
  envelope.recipients.push_back({*to, "NEVER", ""});
  const uint64_t mid = make_mid();
  Environment environment = Environment::of_process();
  const std::string program = environment.get_or("QMAILQUEUE", "@scanq");
  environment.set("POSTERN_MID", std::to_string(mid));
  environment.set("POSTERN_LISTENER", "local");
  environment.set("RELAYCLIENT", "");
  const SmtpReply reply = queue_reply(
      submit(program, file->get(), envelope, environment, now_milliseconds() + kQueueMilliseconds));
  if (!reply.accepted()) return temporary("the queue says: " + reply.line());
  log_info("Alert on user " + printable(check.key) + " " + mid_text(mid) + " to <" + printable(*to) + ">");
  return {};
}

int try_to_hand_in(const RateCheck& check) {
  for (const time_t pause : kPausesSeconds) {
    const Result<void> done = hand_in(check);
    if (done) return 0;
    log_warning("send the alert on user " + printable(check.key), done.failure());
    const timespec wait{pause, 0};
    ::nanosleep(&wait, nullptr);
  }
  return 111;
}

}  // namespace

std::string rate_alert_mail(const RateCheck& check, const std::string& me, const std::string& to,
                            uint64_t now_seconds) {
  const std::string user = printable(check.key, 200);
  const std::string limit = std::to_string(check.limit);
  return "From: <postmaster@" + me + ">\nTo: <" + printable(to) + ">\nSubject: " + user +
         " has met the limit of " + limit + " messages a day\nDate: " + rfc5322_date(now_seconds) +
         "\nMessage-ID: <" + std::to_string(make_mid()) + ".rated@" + me +
         ">\nMIME-Version: 1.0\nContent-Type: text/plain; charset=us-ascii\n"
         "Auto-Submitted: auto-generated\n\nThe user " +
         user + " has handed in " + limit +
         " messages today, which is the limit of the\nmail flow policy. More are refused until midnight. "
         "Where "
         "this is not usual,\nsomebody else may know the password.\n";
}

void alert_postmaster(const RateCheck& check) {
  log_info("User " + printable(check.key) + " has met the limit of " + std::to_string(check.limit) +
           " messages a day");
  const pid_t pid = ::fork();
  if (pid < 0) return log_warning("send the alert", os_failure("fork", errno));
  if (pid > 0) return;
  ::close_range(3, ~0U, 0);  // a client of rated must see its end although this child goes on
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGCHLD}) ::signal(number, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::_exit(try_to_hand_in(check));
}

}  // namespace postern
