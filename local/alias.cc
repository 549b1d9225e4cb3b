#include "local/alias.h"

#include <sys/stat.h>

#include <cerrno>

#include "lib/text.h"

namespace postern {

namespace {

constexpr const char* kAliasUser = "alias";
constexpr std::string_view kAliasPrefix = "alias-";

}  // namespace

Result<std::optional<MailboxUser>> find_alias(const std::string& directory, std::string_view local_part) {
  struct stat home {};
  if (::stat(directory.c_str(), &home) < 0) {
    if (errno == ENOENT) return std::optional<MailboxUser>();
    return os_failure("look at " + directory, errno);
  }
  if (!S_ISDIR(home.st_mode) || home.st_uid == 0 || home.st_gid == 0) return std::optional<MailboxUser>();
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
