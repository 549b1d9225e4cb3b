#include "service/install_files.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "lib/fd.h"

namespace postern {

namespace {

constexpr size_t kFileLimitBytes = 16 * 1024 * 1024;

}  // namespace

Result<void> install_directory(const std::string& path, mode_t mode, const Identity* owner) {
  if (::mkdir(path.c_str(), mode) < 0 && errno != EEXIST) return os_failure("make " + path, errno);
  struct stat status {};
  if (::lstat(path.c_str(), &status) < 0) return os_failure("look at " + path, errno);
  if (!S_ISDIR(status.st_mode))
    return permanent("make " + path + ": something else has that name; move it away");
  if (owner != nullptr && ::lchown(path.c_str(), owner->uid, owner->gid) < 0)
    return os_failure("give away " + path, errno);
  if (::chmod(path.c_str(), mode) < 0) return os_failure("set the mode of " + path, errno);
  return {};
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
  if (::rename(temporary_path.c_str(), path.c_str()) < 0) return os_failure("rename to " + path, errno);
  return {};
}

}  // namespace postern
