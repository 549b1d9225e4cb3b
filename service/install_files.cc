#include "service/install_files.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "lib/fd.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kFileLimitBytes = 16 * 1024 * 1024;

}  // namespace

namespace {

// Level by level, following no link: below a mailbox's home its owner could exchange a directory while we
// look.
Result<Fd> open_directory(const std::string& path) {
  Fd at{::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)};
  for (const std::string_view part : split(path, '/')) {
    if (part.empty()) continue;
    Fd next{::openat(at.get(), std::string(part).c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
    if (!next && (errno == ENOTDIR || errno == ELOOP)) {
      return permanent("open " + path + ": something else than a directory stands in the way; move it away");
    }
    if (!next) return os_failure("open " + path, errno);
    at = std::move(next);
  }
  return at;
}

}  // namespace

Result<void> install_directory(const std::string& path, mode_t mode, const Identity* owner) {
  const size_t end = path.find_last_not_of('/');
  const size_t slash = path.rfind('/', end);
  Result<Fd> parent = open_directory(path.substr(0, slash));
  if (!parent) return parent.failure();
  const std::string name = path.substr(slash + 1, end - slash);
  if (::mkdirat(parent->get(), name.c_str(), mode) < 0 && errno != EEXIST)
    return os_failure("make " + path, errno);
  Result<Fd> made = open_directory(path);
  if (!made) return made.failure();
  if (owner != nullptr && ::fchown(made->get(), owner->uid, owner->gid) < 0)
    return os_failure("give away " + path, errno);
  if (::fchmod(made->get(), mode) < 0) return os_failure("set the mode of " + path, errno);
  return {};
}

// What is there already is left alone: it may be a link to what is not the owner's.
Result<void> install_empty_file(const std::string& path, mode_t mode, const Identity* owner) {
  const size_t slash = path.rfind('/');
  Result<Fd> parent = open_directory(path.substr(0, slash));
  if (!parent) return parent.failure();
  const Fd file{::openat(parent->get(), path.substr(slash + 1).c_str(),
                         O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)};
  if (!file) return errno == EEXIST ? Result<void>() : os_failure("create " + path, errno);
  if (owner != nullptr && ::fchown(file.get(), owner->uid, owner->gid) < 0)
    return os_failure("give away " + path, errno);
  return fsync_directory(path.substr(0, slash));
}

Result<void> install_file(const std::string& path, std::string_view content, mode_t mode) {
  if (Result<std::string> old = read_file(path, kFileLimitBytes); old && *old == content) {
    if (::chmod(path.c_str(), mode) < 0) return os_failure("set the mode of " + path, errno);
    return {};
  }
  const std::string temporary_path = path + ".new";
  const Fd file{::open(temporary_path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode)};
  if (!file) return os_failure("create " + temporary_path, errno);
  if (Result<void> wrote = write_all(file.get(), content, "write " + temporary_path); !wrote) return wrote;
  if (::fchmod(file.get(), mode) < 0) return os_failure("set the mode of " + temporary_path, errno);
  if (Result<void> synced = fsync_file(file.get(), "fsync " + temporary_path); !synced) return synced;
  if (::rename(temporary_path.c_str(), path.c_str()) < 0) return os_failure("rename to " + path, errno);
  return fsync_directory(path.substr(0, path.rfind('/')));
}

}  // namespace postern
