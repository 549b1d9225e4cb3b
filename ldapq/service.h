// What a worker of postern-ldapq holds: the settings with their passwords, and the directory that answers by
// them. A changed control/ldap counts for the next question; one that is broken changes nothing.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ldapq/directory.h"
#include "ldapq/shared_state.h"
#include "lib/serve.h"
#include "lib/watched_file.h"

namespace postern {

class LdapService {
 public:
  LdapService();
  // Before the workers are forked, and at each SIGHUP: settings, and a new and empty cache of their size.
  // False where the shared memory cannot be had; settings that cannot be read leave it without them.
  bool load(bool keeps_answers);
  int answer(Job& job, std::string& output);

 private:
  void read_settings();
  int ask(const Job& job, std::string& output);
  int test(const std::vector<std::string>& arguments, std::string& output);

  WatchedFile file_;
  std::vector<WatchedFile> password_files_;
  std::optional<SharedState> shared_;
  std::unique_ptr<Directory> directory_;
  std::string wrong_;  // why there are no settings
};

}  // namespace postern
