// postern-ldapq - ask directory servers about addresses and passwords, by the queries of control/ldap.
//
//   usage      postern-ldapq --serve [--workers N] [--clients UID,...]
//              postern-ldapq accept ADDRESS SENDER [QUERY]   does this recipient exist
//              postern-ldapq route ADDRESS [QUERY]           prints HOST, TAB, ADDRESS; HOST may be empty
//              postern-ldapq masquerade ADDRESS [QUERY]      prints the address that takes its place
//              postern-ldapq alias ADDRESS [QUERY]           the same, for the quarantine of spam
//              postern-ldapq group ADDRESS GROUP [QUERY]     is it in this group
//              postern-ldapq bind USER [QUERY]               is it the user's password; prints addresses
//              postern-ldapq --test QUERY ADDRESS [GROUP]    what is asked, of whom, and what comes back
//   fd 0 in    bind: the password, to end of file
//   env        POSTERN_HOME
//   files      control/{ldap,concurrencyldap}, secrets/posternx/
//   user       posternx
//   exit       0 yes, 1 no, 100 wrong arguments, 111 it cannot be said: prints "accept" or "defer", TAB, why

#include <stdlib.h>

#include <algorithm>
#include <string_view>

#include "ldapq/service.h"
#include "lib/program.h"
#include "lib/secret.h"
#include "lib/serve.h"

namespace {

using namespace postern;

constexpr unsigned kWorkers = 8;
constexpr unsigned kDeadlineSeconds = 120;  // above what a worker spends on all servers of a list

int run(int argc, char** argv) {
  keep_memory_private();           // passwords pass through
  ::setenv("LDAPNOINIT", "1", 1);  // libldap reads no ldap.conf, no .ldaprc and no environment
  LdapService service;
  ServeOptions defaults;
  defaults.workers = kWorkers;
  defaults.workers_file = "concurrencyldap";
  defaults.deadline_seconds = kDeadlineSeconds;
  const bool resident =
      std::any_of(argv, argv + argc, [](const char* each) { return std::string_view(each) == "--serve"; });
  const Forms forms{.defaults = defaults, .path_fds = {0}, .load = [&] { return service.load(resident); }};
  return run_forms(argc, argv, forms,
                   [&](Job& job, std::string& output) { return service.answer(job, output); });
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("postern-ldapq", {.no_memory = 111, .bug = 111}, run, argc, argv);
}
