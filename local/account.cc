#include "local/account.h"

#include <pwd.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <string>

#include "lib/text.h"

namespace postern {

namespace {

constexpr char kBreak = '-';
constexpr size_t kNameLimitBytes = 32;  // longer names are no accounts and need not be asked for

Result<std::optional<MailboxUser>> look_up(std::string_view name) {
  std::array<char, 16384> buffer;
  struct passwd entry {};
  struct passwd* found = nullptr;
  const std::string lowered = lower(name);
  const int error = ::getpwnam_r(lowered.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (error != 0 && error != ENOENT && error != ESRCH) return os_failure("look up an account", error);
  if (found == nullptr || entry.pw_uid == 0 || entry.pw_gid == 0) return std::optional<MailboxUser>();
  struct stat home {};
  if (entry.pw_dir == nullptr || entry.pw_dir[0] != '/') return std::optional<MailboxUser>();
  if (::stat(entry.pw_dir, &home) < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::optional<MailboxUser>();
    return os_failure("look at the home " + printable(entry.pw_dir), errno);
  }
  if (home.st_uid != entry.pw_uid || !S_ISDIR(home.st_mode)) return std::optional<MailboxUser>();
  return std::optional<MailboxUser>(MailboxUser{lowered, entry.pw_uid, entry.pw_gid, entry.pw_dir, "", ""});
}

}  // namespace

Result<std::optional<MailboxUser>> find_account(std::string_view local_part) {
  for (size_t end = local_part.size(); end > 0; --end) {
    const bool whole = end == local_part.size();
    if (end > kNameLimitBytes || (!whole && local_part[end] != kBreak)) continue;
    Result<std::optional<MailboxUser>> account = look_up(local_part.substr(0, end));
    if (!account || !account->has_value()) {
      if (!account) return account;
      continue;
    }
    if (!whole) {
      (*account)->dash = kBreak;
      (*account)->ext = local_part.substr(end + 1);
    }
    return account;
  }
  return std::optional<MailboxUser>();
}

}  // namespace postern
