#include "local/alias.h"

#include <sys/stat.h>

#include <cerrno>

#include "lib/text.h"

namespace postern {

namespace {

constexpr const char* kAliasUser = "alias";
constexpr std::string_view kAliasPrefix = "alias-";

// What it would have said of an address is not known, postmaster's among them: nothing bounces for it.
Failure unusable(const std::string& directory, const std::string& why) {
  return temporary("look for an alias: " + directory + " " + why, 0, "4.3.5");
}

}  // namespace

Result<std::optional<MailboxUser>> find_alias(const std::string& directory, std::string_view local_part) {
  struct stat home {};
  const int error = ::stat(directory.c_str(), &home) < 0 ? errno : 0;
  if (error != 0 && error != ENOENT && error != ENOTDIR) return os_failure("look at " + directory, error);
  if (error != 0) return unusable(directory, "is not there; make it, owned by the alias user");
  if (!S_ISDIR(home.st_mode)) return unusable(directory, "is not a directory; make it one");
  if (home.st_uid == 0 || home.st_gid == 0)
    return unusable(directory, "belongs to root; chown it to the alias user and his group");
  std::string_view ext = local_part;
  if (lower(ext.substr(0, kAliasPrefix.size())) == kAliasPrefix) ext.remove_prefix(kAliasPrefix.size());
  return std::optional<MailboxUser>(
      MailboxUser{kAliasUser, home.st_uid, home.st_gid, directory, "-", std::string(ext)});
}

bool virtual_domain_listed(std::string_view domain, const std::vector<std::string>& lines) {
  for (const std::string_view line : lines) {
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon + 1 == line.size()) continue;
    std::string_view key = line.substr(0, colon);
    if (const size_t at = key.rfind('@'); at != std::string_view::npos) key.remove_prefix(at + 1);
    const bool below = key.starts_with('.') && domain.size() > key.size() &&
                       equal_ignoring_case(domain.substr(domain.size() - key.size()), key);
    if (key.empty() || below || equal_ignoring_case(domain, key)) return true;
  }
  return false;
}

}  // namespace postern
