#include "lib/owner.h"

#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace postern {

Result<void> become(const Identity& identity) {
  if (::getuid() != 0) return {};
  if (::setgroups(0, nullptr) < 0 || ::setgid(identity.gid) < 0 || ::setuid(identity.uid) < 0) {
    return os_failure("become user " + std::to_string(identity.uid), errno);
  }
  return {};
}

Result<void> become_owner(const std::string& directory) {
  struct stat status {};
  if (::getuid() != 0 || ::stat(directory.c_str(), &status) < 0 || status.st_uid == 0) return {};
  return become({status.st_uid, status.st_gid});
}

}  // namespace postern
