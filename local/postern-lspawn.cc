// postern-lspawn - find whose mailbox an address is and run postern-local as that user.
//
//   postern-lspawn SENDER RECIPIENT      or, resident, --serve on run/lspawn
//
//   fd 0       the message: passed on, never read here; fd 5 extras (RFC 3461), only with POSTERN_EXTRAS=5
//   fd 1 out   reports: r, p, e, h or s and a text, NUL, then K, Z or D and a text, NUL
//   env        POSTERN_HOME, POSTERN_MID, POSTERN_RIDS (the recipient's number, for the log); QMAILQUEUE is
//   passed on files      control/{locals,me,virtualdomains,defaultdelivery,programseconds,programmemory},
//   users/cdb, alias/; the accounts
//              of this host when run by root
//   user       root, the only resident that is; started by anyone else it delivers as that user
//   exit       0 with reports, 111 when the request itself is broken

#include <stdlib.h>
#include <unistd.h>

#include "lib/control.h"
#include "lib/local_part.h"
#include "lib/log.h"
#include "lib/program.h"
#include "lib/serve.h"
#include "lib/text.h"
#include "local/account.h"
#include "local/alias.h"
#include "local/assign.h"
#include "local/local_child.h"
#include "local/outcome.h"
#include "local/trace_fields.h"

namespace postern {
namespace {

constexpr unsigned kWorkers = 10;
// Beyond what its programs may take (control/programseconds). The child runs as the mailbox's user, who may
// stop it; so long at most one delivery holds a worker that others wait for. A file system that hangs for
// longer costs another try.
constexpr unsigned kReserveSeconds = 60;
static_assert(kReserveSeconds > kOtherSeconds);
// The worker's own alarm: above every delivery's time, so that it is there to end the child and to answer.
constexpr unsigned kDeadlineSeconds = kProgramSecondsLimit + kReserveSeconds + 60;

struct Settings {
  std::vector<std::string> locals;
  std::vector<std::string> virtual_domains;
  std::string default_delivery;
  std::string users_cdb;
  std::string alias_home;
  unsigned program_seconds = kProgramSeconds;
  uint64_t program_mib = 0;
  bool as_root = false;
};

// In the order of handle(): each step of one request.
Result<MailboxUser> find_mailbox(const Settings& settings, std::string_view recipient);
MailboxOutcome run_local(const Settings& settings, LocalChildren& children, const MailboxUser& mailbox,
                         const Job& job);
void log_delivery(const Job& job, const MailboxUser& mailbox, std::string_view line);
std::string reports_of(const MailboxOutcome& outcome);

// What postern-local and the programs that it starts find; nothing of a request.
Environment local_environment(const Settings& settings) {
  Environment environment;
  environment.set("PATH", "/usr/local/bin:/usr/bin:/bin:" + own_directory());
  environment.set("POSTERN_HOME", home_directory());
  environment.set("POSTERN_PROGRAM_SECONDS", std::to_string(settings.program_seconds));
  environment.set("POSTERN_PROGRAM_MIB", std::to_string(settings.program_mib));
  const char* queue = ::getenv("QMAILQUEUE");
  if (queue != nullptr && *queue != '\0') environment.set("QMAILQUEUE", queue);
  return environment;
}

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
  Result<std::optional<std::vector<std::string>>> virtual_domains = control_list("virtualdomains");
  if (!virtual_domains) return virtual_domains.failure();
  settings.virtual_domains = virtual_domains->value_or(std::vector<std::string>());
  Result<uint64_t> seconds = control_number_or("programseconds", kProgramSeconds);
  if (!seconds) return seconds.failure();
  if (*seconds == 0 || *seconds > kProgramSecondsLimit)
    return temporary(home_path("control/programseconds") + ":1: " + std::to_string(*seconds) +
                     " is out of bounds; write 1 to " + std::to_string(kProgramSecondsLimit));
  settings.program_seconds = static_cast<unsigned>(*seconds);
  Result<uint64_t> memory = control_number_or("programmemory", 0);
  if (!memory) return memory.failure();
  settings.program_mib = *memory;
  settings.users_cdb = home_path("users/cdb");
  settings.alias_home = home_path("alias");
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
  if (!domain_listed(domain, settings.locals) && !virtual_domain_listed(domain, settings.virtual_domains)) {
    log_warning("deliver to " + printable(recipient),
                "its domain is not in control/locals or control/virtualdomains: this job should never have "
                "come here");
    return permanent("the domain of this address is not delivered to on this host", 0, "5.1.2");
  }
  const std::string local_part = unquote_local_part(local_part_of(recipient));
  Result<std::optional<MailboxUser>> mailbox = find_assigned_user(settings.users_cdb, local_part);
  if (!mailbox) return mailbox.failure();
  if (!mailbox->has_value() && settings.as_root) {
    mailbox = find_account(local_part);
    if (!mailbox) return mailbox.failure();
  }
  if (!mailbox->has_value()) {
    mailbox = find_alias(settings.alias_home, local_part);
    if (!mailbox) return mailbox.failure();
  }
  if (!mailbox->has_value()) return permanent("no mailbox here by that name", 0, "5.1.1");
  return **mailbox;
}

MailboxOutcome run_local(const Settings& settings, LocalChildren& children, const MailboxUser& mailbox,
                         const Job& job) {
  const std::string& recipient = job.arguments[1];
  const LocalJob local{
      .arguments = {mailbox.user, mailbox.home, unquote_local_part(local_part_of(recipient)), mailbox.dash,
                    mailbox.ext, domain_of(recipient), job.arguments[0], settings.default_delivery},
      .mid = job.environment.get_or("POSTERN_MID", ""),
      .keep_unsigned = job.environment.get("POSTERN_SIGN") == "no",
      .message = job.fd(0),
      .extras = job.environment.get("POSTERN_EXTRAS") == "5" ? job.fd(5) : -1};
  std::optional<Identity> identity;
  if (settings.as_root) identity = Identity{mailbox.uid, mailbox.gid};
  const int64_t seconds = int64_t{settings.program_seconds} + kReserveSeconds;
  return children.deliver(identity, local, now_milliseconds() + seconds * 1000);
}

void log_delivery(const Job& job, const MailboxUser& mailbox, std::string_view line) {
  static constexpr std::string_view kMaildir = "maildir: ";
  if (line.starts_with(kMaildir)) line.remove_prefix(kMaildir.size());
  log_info("MID " + printable(job.environment.get_or("POSTERN_MID", "0"), 20) + " RID [" +
           printable(job.environment.get_or("POSTERN_RIDS", "0"), 20) + "] delivered to mailbox " +
           printable(mailbox.user) + ": " + std::string(line));
}

std::string reports_of(const MailboxOutcome& outcome) {
  const char whole = outcome.exit_code == kDelivered ? 'K' : outcome.exit_code == kNever ? 'D' : 'Z';
  std::string reports;
  for (const char letter : {outcome.letter, whole}) (reports += letter).append(outcome.line).push_back('\0');
  return reports;
}

int run(int argc, char** argv) {
  Settings settings;
  LocalChildren children;  // each worker fills its own copy
  const Forms forms{.defaults = {.workers = kWorkers,
                                 .workers_file = "concurrencylocal",
                                 .deadline_seconds = kDeadlineSeconds,
                                 .between = [&children] { return children.end_stale(); },
                                 .closed = [&children] { children.end_all(); }},
                    .path_fds = {0, 5},
                    .load = [&settings, &children] {
                      Result<Settings> read = read_settings();
                      if (!read) {
                        log_critical("read its settings", read.failure().text);
                        return false;
                      }
                      settings = std::move(*read);
                      children.set_environment(local_environment(settings));
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
