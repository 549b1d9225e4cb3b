#include "queue/check_owners.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "lib/fd.h"

namespace postern {

namespace {

constexpr int kDepth = 3;  // spool, place, part

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

Result<void> give(int directory, const char* name, const struct stat& wanted) {
  struct stat status {};
  if (::fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) < 0) return os_failure("look at it", errno);
  // A second name may be one elsewhere, of a file that is not the queue's.
  if (!S_ISDIR(status.st_mode) && status.st_nlink != 1) return temporary("it has another name too");
  if (::fchownat(directory, name, wanted.st_uid, wanted.st_gid, AT_SYMLINK_NOFOLLOW) == 0) return {};
  return os_failure("change its owner", errno);
}

void walk(int parent, const char* name, const std::string& path, const struct stat& wanted, int depth,
          Findings& findings) {
  const int fd = ::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  const std::unique_ptr<DIR, CloseDirectory> directory{fd < 0 ? nullptr : ::fdopendir(fd)};
  if (!directory) {
    if (errno != ENOENT) findings.unknown(os_failure("open " + path, errno));
    return;
  }
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string inside = entry->d_name;
    if (inside == "." || inside == "..") continue;
    struct stat status {};
    if (::fstatat(fd, entry->d_name, &status, AT_SYMLINK_NOFOLLOW) < 0) continue;
    const std::string inside_path = path + "/" + inside;
    if (status.st_uid != wanted.st_uid || status.st_gid != wanted.st_gid) {
      const auto pair = [](const struct stat& s) {
        return std::to_string(s.st_uid) + ":" + std::to_string(s.st_gid);
      };
      findings.add(inside_path, "it belongs to " + pair(status), "give it to " + pair(wanted),
                   [&] { return give(fd, entry->d_name, wanted); });
    }
    if (S_ISDIR(status.st_mode) && depth > 1) {
      walk(fd, entry->d_name, inside_path, wanted, depth - 1, findings);
    }
  }
}

}  // namespace

void check_owners(const std::string& directory, Findings& findings) {
  struct stat wanted {};
  if (::stat(directory.c_str(), &wanted) < 0) {
    return findings.unknown(os_failure("look at " + directory, errno));
  }
  walk(AT_FDCWD, directory.c_str(), directory, wanted, kDepth, findings);
}

}  // namespace postern
