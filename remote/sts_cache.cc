#include "remote/sts_cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <map>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include "lib/fd.h"

namespace postern {

namespace {

constexpr size_t kFileLimitBytes = 128 * 1024;

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

// The last two labels: whoever has a domain has all below it.
std::string_view parent_of(std::string_view domain) {
  const size_t last = domain.rfind('.');
  const size_t before = last == 0 || last == std::string_view::npos ? last : domain.rfind('.', last - 1);
  return before == std::string_view::npos ? domain : domain.substr(before + 1);
}

// Those with the lower rank go first.
enum class Rank { holds_nothing, crowd, other };

struct Candidate {
  Rank rank;
  time_t used;
  std::string domain;
};

// The crowd: what a parent domain has beyond `share`, but for those that were used last.
void find_crowds(std::vector<Candidate>& candidates, size_t share) {
  std::sort(candidates.begin(), candidates.end(),
            [](const Candidate& a, const Candidate& b) { return a.used > b.used; });
  std::map<std::string_view, size_t> held;
  for (Candidate& candidate : candidates) {
    if (candidate.rank == Rank::other && ++held[parent_of(candidate.domain)] > share)
      candidate.rank = Rank::crowd;
  }
}

}  // namespace

std::optional<StsEntry> StsCache::find(std::string_view domain) const {
  if (!is_policy_domain(domain)) return std::nullopt;
  Result<std::string> text = read_file(path(domain), kFileLimitBytes);
  if (!text) return std::nullopt;
  Result<StsEntry> entry = parse_sts_entry(*text);
  if (!entry || entry->domain != domain) return std::nullopt;
  struct stat status {};
  if (::stat(path(domain).c_str(), &status) == 0 && status.st_mtime > 0)
    entry->used = static_cast<uint64_t>(status.st_mtime);
  return std::move(*entry);
}

Result<void> StsCache::put(const StsEntry& entry, uint64_t now) const {
  if (!is_policy_domain(entry.domain)) return permanent("keep a policy: this is no domain");
  const std::string name = path(entry.domain);
  if (::access(name.c_str(), F_OK) < 0) make_room(now);
  const std::string temporary_name = directory_ + "/." + std::to_string(::getpid()) + ".tmp";
  const Fd file{::open(temporary_name.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644)};
  if (!file) return os_failure("write " + temporary_name, errno);
  Result<void> written = write_all(file.get(), format_sts_entry(entry), "write " + temporary_name);
  if (written && ::rename(temporary_name.c_str(), name.c_str()) < 0)
    written = os_failure("rename to " + name, errno);
  if (!written) ::unlink(temporary_name.c_str());
  return written;
}

bool StsCache::writable() const {
  return ::access(directory_.c_str(), W_OK | X_OK) == 0;
}

void StsCache::touch(std::string_view domain) const {
  if (is_policy_domain(domain)) ::utimensat(AT_FDCWD, path(domain).c_str(), nullptr, AT_SYMLINK_NOFOLLOW);
}

void StsCache::make_room(uint64_t now) const {
  uint64_t count = 0;
  for_each_domain(directory_, [&](const std::string&) { ++count; });
  if (count < most_domains_) return;
  std::vector<Candidate> candidates;
  for_each_domain(directory_, [&](std::string name) {
    struct stat status {};
    if (::stat(path(name).c_str(), &status) < 0) return;
    const std::optional<StsEntry> entry = find(name);
    const Rank rank = entry && entry->holds(now) ? Rank::other : Rank::holds_nothing;
    candidates.push_back({rank, status.st_mtime, std::move(name)});
  });
  // A tenth at once, so that a full directory is not read for every new domain.
  const size_t tenth = std::max<size_t>(most_domains_ / 10, 1);
  find_crowds(candidates, tenth);
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return std::tie(a.rank, a.used, a.domain) < std::tie(b.rank, b.used, b.domain);
  });
  for (size_t i = 0; i < std::min(tenth, candidates.size()); ++i)
    ::unlink(path(candidates[i].domain).c_str());
}

}  // namespace postern
