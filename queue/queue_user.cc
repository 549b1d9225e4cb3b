#include "queue/queue_user.h"

#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace postern {

Result<void> become_owner(const std::string& directory) {
  struct stat status {};
  if (::getuid() != 0 || ::stat(directory.c_str(), &status) < 0 || status.st_uid == 0) return {};
  if (::setgroups(0, nullptr) < 0 || ::setgid(status.st_gid) < 0 || ::setuid(status.st_uid) < 0)
    return os_failure("become the queue's user", errno, 61);
  return {};
}

}  // namespace postern
