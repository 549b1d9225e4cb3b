// postern-lspawn - find whose mailbox an address is and run postern-local as that user.
//
//   postern-lspawn SENDER RECIPIENT      or, resident, --serve on run/lspawn
//
//   fd 0       the message: passed on, never read here
//   fd 1 out   reports: r, h or s and a text, NUL, then K, Z or D and a text, NUL
//   env        POSTERN_HOME, POSTERN_MID, POSTERN_RIDS (the recipient's number, for the log)
//   files      control/{locals,me,defaultdelivery}, users/cdb; the accounts of this host when run by root
//   user       root, the only resident that is; started by anyone else it delivers as that user
//   exit       0 with reports, 111 when the request itself is broken

#include <unistd.h>

#include "lib/control.h"
#include "lib/log.h"
#include "lib/program.h"
#include "lib/serve.h"
#include "lib/text.h"
#include "local/account.h"
#include "local/assign.h"
#include "local/local_child.h"
#include "local/mailbox.h"
#include "local/trace_fields.h"

namespace postern {
namespace {

constexpr unsigned kWorkers = 10;
// The child runs as the mailbox's user, who may stop it; so long at most one delivery holds a worker that
// others wait for. A file system that hangs for longer costs another try.
constexpr unsigned kDeliverySeconds = 300;
// The worker's own alarm: must stay above kDeliverySeconds, so that it is there to end the child and to
// answer.
constexpr unsigned kDeadlineSeconds = kDeliverySeconds + 60;

struct Settings {
  std::vector<std::string> locals;
  std::string default_delivery;
  std::string users_cdb;
  bool as_root = false;
};

// In the order of handle(): each step of one request.
Result<MailboxUser> find_mailbox(const Settings& settings, std::string_view recipient);
MailboxOutcome run_local(const Settings& settings, LocalChildren& children, const MailboxUser& mailbox,
                         const Job& job);
void log_delivery(const Job& job, const MailboxUser& mailbox, std::string_view line);
std::string reports_of(const MailboxOutcome& outcome);

Result<Settings> read_settings() {
  Settings settings;
  Result<std::string> me = control_me();
  if (!me) return me.failure();
  Result<std::optional<std::vector<std::string>>> locals = control_list("locals");
  if (!locals) return locals.failure();
  settings.locals = locals->value_or(std::vector<std::string>{*me});
  Result<std::string> delivery = control_line_or("defaultdelivery", "./Maildir/");
  if (!delivery) return delivery.failure();
  settings.default_delivery = *delivery;
  settings.users_cdb = home_path("users/cdb");
  settings.as_root = ::getuid() == 0;
  return settings;
}

int handle(const Settings& settings, LocalChildren& children, Job& job, std::string& output) {
  if (job.arguments.size() != 2 || job.fd(0) < 0) {
    log_warning("take a request", "it must have SENDER RECIPIENT and the message as descriptor 0");
    return kTryAgain;
  }
  Result<MailboxUser> mailbox = find_mailbox(settings, job.arguments[1]);
  if (!mailbox) {
    output = reports_of(mailbox_outcome_of(mailbox.failure()));
    return 0;
  }
  if (job.client_gone()) return kTryAgain;
  const MailboxOutcome outcome = run_local(settings, children, *mailbox, job);
  if (outcome.exit_code == kDelivered) log_delivery(job, *mailbox, outcome.line);
  output = reports_of(outcome);
  return 0;
}

Result<MailboxUser> find_mailbox(const Settings& settings, std::string_view recipient) {
  const std::string domain = domain_of(recipient);
  if (!domain_listed(domain, settings.locals)) {
    log_warning("deliver to " + printable(recipient),
                "its domain is not in control/locals: this job should never have come here");
    return permanent("the domain of this address is not delivered to on this host", 0, "5.1.2");
  }
  const std::string local_part = unquote_local_part(local_part_of(recipient));
  Result<std::optional<MailboxUser>> mailbox = find_assigned_user(settings.users_cdb, local_part);
  if (!mailbox) return mailbox.failure();
  if (!mailbox->has_value() && settings.as_root) {
    mailbox = find_account(local_part);
    if (!mailbox) return mailbox.failure();
  }
  if (!mailbox->has_value()) return permanent("no mailbox here by that name", 0, "5.1.1");
  return **mailbox;
}

MailboxOutcome run_local(const Settings& settings, LocalChildren& children, const MailboxUser& mailbox,
                         const Job& job) {
  const std::string& recipient = job.arguments[1];
  const std::vector<std::string> arguments = {mailbox.user,
                                              mailbox.home,
                                              unquote_local_part(local_part_of(recipient)),
                                              mailbox.dash,
                                              mailbox.ext,
                                              domain_of(recipient),
                                              job.arguments[0],
                                              settings.default_delivery};
  std::optional<Identity> identity;
  if (settings.as_root) identity = Identity{mailbox.uid, mailbox.gid};
  return children.deliver(identity, arguments, job.fd(0),
                          now_milliseconds() + int64_t{kDeliverySeconds} * 1000);
}

void log_delivery(const Job& job, const MailboxUser& mailbox, std::string_view line) {
  static constexpr std::string_view kMaildir = "maildir: ";
  if (line.starts_with(kMaildir)) line.remove_prefix(kMaildir.size());
  log_info("MID " + printable(job.environment.get_or("POSTERN_MID", "0"), 20) + " RID [" +
           printable(job.environment.get_or("POSTERN_RIDS", "0"), 20) + "] delivered to mailbox " +
           printable(mailbox.user) + ": " + std::string(line));
}

std::string reports_of(const MailboxOutcome& outcome) {
  std::string_view letters = "sZ";
  if (outcome.exit_code == kDelivered) letters = "rK";
  if (outcome.exit_code == kNever) letters = "hD";
  std::string reports;
  for (const char letter : letters) (reports += letter).append(outcome.line).push_back('\0');
  return reports;
}

int run(int argc, char** argv) {
  Settings settings;
  LocalChildren children;  // each worker fills its own copy
  const Forms forms{.defaults = {.workers = kWorkers,
                                 .deadline_seconds = kDeadlineSeconds,
                                 .between = [&children] { return children.end_stale(); },
                                 .closed = [&children] { children.end_all(); }},
                    .path_fds = {0},
                    .load = [&settings] {
                      Result<Settings> read = read_settings();
                      if (!read) {
                        log_critical("read its settings", read.failure().text);
                        return false;
                      }
                      settings = std::move(*read);
                      return true;
                    }};
  return run_forms(argc, argv, forms,
                   [&](Job& job, std::string& output) { return handle(settings, children, job, output); });
}

}  // namespace
}  // namespace postern

int main(int argc, char** argv) {
  return postern::run_program("postern-lspawn", {}, postern::run, argc, argv);
}
