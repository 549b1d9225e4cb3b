#include "remote/sts_cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace postern {

namespace {

constexpr size_t kFileLimitBytes = 128 * 1024;
constexpr size_t kLocks = 256;

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

// Names that begin with a dot are no domains: locks, and what is being written.
template <typename Take>
void for_each_domain(const std::string& directory, Take take) {
  const std::unique_ptr<DIR, CloseDirectory> open{::opendir(directory.c_str())};
  if (!open) return;
  while (const dirent* entry = ::readdir(open.get())) {
    if (entry->d_name[0] != '.') take(std::string(entry->d_name));
  }
}

}  // namespace

std::optional<StsEntry> StsCache::find(std::string_view domain) const {
  if (!is_policy_domain(domain)) return std::nullopt;
  Result<std::string> text = read_file(path(domain), kFileLimitBytes);
  if (!text) return std::nullopt;
  Result<StsEntry> entry = parse_sts_entry(*text);
  if (!entry || entry->domain != domain) return std::nullopt;
  return std::move(*entry);
}

Result<void> StsCache::put(const StsEntry& entry) const {
  if (!is_policy_domain(entry.domain)) return permanent("keep a policy: this is no domain");
  const std::string name = path(entry.domain);
  if (::access(name.c_str(), F_OK) < 0) make_room();
  const std::string temporary_name = directory_ + "/." + std::to_string(::getpid()) + ".tmp";
  const Fd file{::open(temporary_name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644)};
  if (!file) return os_failure("write " + temporary_name, errno);
  Result<void> written = write_all(file.get(), format_sts_entry(entry), "write " + temporary_name);
  if (written && ::rename(temporary_name.c_str(), name.c_str()) < 0)
    written = os_failure("rename to " + name, errno);
  if (!written) ::unlink(temporary_name.c_str());
  return written;
}

Fd StsCache::try_lock(std::string_view domain) const {
  const size_t number = std::hash<std::string_view>{}(domain) % kLocks;
  const std::string name = directory_ + "/.lock." + std::to_string(number);
  Fd lock{::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)};
  if (!lock || ::flock(lock.get(), LOCK_EX | LOCK_NB) < 0) return {};
  return lock;
}

bool StsCache::writable() const {
  return ::access(directory_.c_str(), W_OK | X_OK) == 0;
}

void StsCache::make_room() const {
  uint64_t count = 0;
  for_each_domain(directory_, [&](const std::string&) { ++count; });
  if (count < most_domains_) return;
  std::vector<std::pair<time_t, std::string>> by_age;
  for_each_domain(directory_, [&](std::string name) {
    struct stat status {};
    if (::stat(path(name).c_str(), &status) == 0) by_age.emplace_back(status.st_mtime, std::move(name));
  });
  std::sort(by_age.begin(), by_age.end());
  // A tenth at once, so that a full directory is not sorted for every new domain.
  const size_t leave =
      by_age.size() - std::min<size_t>(by_age.size(), std::max<size_t>(most_domains_ / 10, 1));
  for (size_t i = 0; i < by_age.size() - leave; ++i) ::unlink(path(by_age[i].second).c_str());
}

}  // namespace postern
