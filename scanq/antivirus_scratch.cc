#include "scanq/antivirus_scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "lib/text.h"

namespace postern {

namespace {

constexpr std::string_view kPrefix = "postern-antivirus.";  // then the pid, a dot, six letters
constexpr int kOpenDirectories = 16;

// What cannot be removed is left for the next sweep; the others still go.
// remove() tries unlink() first and takes the word of a confined process's kernel for the last one.
int remove_entry(const char* path, const struct stat*, int kind, struct FTW*) {
  (void)(kind == FTW_DP ? ::rmdir(path) : ::unlink(path));
  return 0;
}

// Symbolic links in it are removed, never followed.
void remove_tree(const std::string& path) {
  ::nftw(path.c_str(), remove_entry, kOpenDirectories, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

// Making and removing small files is more than half of what a small mail's scan costs on a disk's file
// system, and half of that in memory; so memory it is where there is plenty.
constexpr uint64_t kMemoryNeededBytes = 2ULL * 1024 * 1024 * 1024;

std::string scratch_parent() {
  const char* named = ::getenv("TMPDIR");
  if (named != nullptr && *named == '/') return named;
  static constexpr const char* kMemory = "/dev/shm";
  struct statvfs room {};
  const bool fits = ::statvfs(kMemory, &room) == 0 && room.f_bavail * room.f_frsize >= kMemoryNeededBytes;
  return fits && ::access(kMemory, W_OK | X_OK) == 0 ? kMemory : "/tmp";
}

bool is_orphan(std::string_view name) {
  if (!name.starts_with(kPrefix)) return false;
  name.remove_prefix(kPrefix.size());
  const std::optional<uint64_t> pid = parse_number(name.substr(0, name.find('.')));
  return pid && *pid > 1 && *pid < (1U << 30) && ::kill(static_cast<pid_t>(*pid), 0) < 0 && errno == ESRCH;
}

}  // namespace

Result<Scratch> Scratch::make() {
  const std::string parent = scratch_parent();
  sweep_scratch(parent);
  std::string path = parent + "/" + std::string(kPrefix) + std::to_string(::getpid()) + ".XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) return os_failure("make a scratch directory in " + parent, errno);
  Scratch scratch;
  scratch.path_ = std::move(path);
  return scratch;
}

Scratch::~Scratch() {
  if (!path_.empty()) remove_tree(path_);
}

void sweep_scratch(const std::string& parent) {
  const std::unique_ptr<DIR, int (*)(DIR*)> opened{::opendir(parent.c_str()), ::closedir};
  if (!opened) return;
  std::vector<std::string> orphans;
  while (const dirent* entry = ::readdir(opened.get())) {
    struct stat status {};
    if (is_orphan(entry->d_name) &&
        ::fstatat(::dirfd(opened.get()), entry->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISDIR(status.st_mode) && status.st_uid == ::geteuid()) {
      orphans.push_back(parent + "/" + entry->d_name);
    }
  }
  for (const std::string& path : orphans) remove_tree(path);
}

}  // namespace postern
