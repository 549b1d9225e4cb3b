// postern-userq - is there a mailbox of this host for an address?
//
//   usage      postern-userq [--serve [--workers N] [--clients UID,...]]
//              postern-userq exists ADDRESS
//   fd 1 out   why, on one line
//   env        POSTERN_HOME
//   files      control/{locals,me,virtualdomains}, users/cdb, alias/, and of the homes what everybody may
//   read user       posternu: nobody's files are its own exit       0 there is, or that cannot be known, 100
//   there is none, 111 wrong arguments or settings

#include <sys/stat.h>

#include <optional>

#include "lib/control.h"
#include "lib/log.h"
#include "lib/program.h"
#include "lib/serve.h"
#include "lib/text.h"
#include "lib/watched_file.h"
#include "local/mailbox_exists.h"

namespace postern {
namespace {

constexpr unsigned kWorkers = 4;
constexpr unsigned kDeadlineSeconds = 30;  // a home on a file system that hangs
constexpr size_t kWhyLimitBytes = 300;

Result<MailboxPlaces> read_places() {
  Result<std::string> me = control_me();
  if (!me) return me.failure();
  Result<std::optional<std::vector<std::string>>> locals = control_list("locals");
  if (!locals) return locals.failure();
  Result<std::optional<std::vector<std::string>>> virtual_domains = control_list("virtualdomains");
  if (!virtual_domains) return virtual_domains.failure();
  Result<Rewriting> rewriting = Rewriting::make(*me, locals->value_or(std::vector<std::string>{*me}),
                                                virtual_domains->value_or(std::vector<std::string>{}));
  if (!rewriting) return rewriting.failure();
  // Only lspawn as root delivers to accounts, and an instance where it is root has root's directories.
  struct stat users {};
  const bool split = ::stat(home_path("users").c_str(), &users) == 0 && users.st_uid == 0;
  return MailboxPlaces{.rewriting = std::move(*rewriting),
                       .users_cdb = home_path("users/cdb"),
                       .alias_home = home_path("alias"),
                       .accounts = split};
}

class Service {
 public:
  // False: what was read before stays.
  bool load() {
    changed();
    Result<MailboxPlaces> places = read_places();
    if (!places) {
      log_critical("read its settings", places.failure().text);
      return false;
    }
    places_ = std::move(*places);
    return true;
  }

  int answer(Job& job, std::string& output) {
    if (job.arguments.size() != 2 || job.arguments[0] != "exists" || job.arguments[1].empty()) {
      log_warning("answer a question", "the question is: exists ADDRESS");
      return 111;
    }
    if (changed()) load();  // a new domain counts for the next recipient
    const MailboxExistence found = mailbox_exists(*places_, job.arguments[1]);
    static constexpr std::string_view kNotKnown = "not known: ";
    const bool known = found.existence != Existence::not_known;
    output = (known ? "" : std::string(kNotKnown)) + printable(found.why, kWhyLimitBytes) + "\n";
    return found.existence == Existence::no ? 100 : 0;
  }

 private:
  bool changed() {
    bool any = false;
    for (WatchedFile* file : {&me_, &locals_, &virtual_domains_}) any = file->changed() || any;
    return any;
  }

  std::optional<MailboxPlaces> places_;
  WatchedFile me_{home_path("control/me")};
  WatchedFile locals_{home_path("control/locals")};
  WatchedFile virtual_domains_{home_path("control/virtualdomains")};
};

int run(int argc, char** argv) {
  Service service;
  ServeOptions defaults;
  defaults.workers = kWorkers;
  defaults.deadline_seconds = kDeadlineSeconds;
  const Forms forms{.defaults = defaults, .path_fds = {}, .load = [&] { return service.load(); }};
  return run_forms(argc, argv, forms,
                   [&](Job& job, std::string& output) { return service.answer(job, output); });
}

}  // namespace
}  // namespace postern

int main(int argc, char** argv) {
  return postern::run_program("postern-userq", {}, postern::run, argc, argv);
}
