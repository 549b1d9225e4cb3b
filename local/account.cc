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
// Debian's border between accounts of the system and of people, and the home of those that have none.
constexpr uid_t kFirstOrdinaryUid = 1000;
constexpr const char* kNoHome = "/nonexistent";

Result<std::optional<MailboxUser>> look_up(std::string_view name) {
  std::array<char, 16384> buffer;
  struct passwd entry {};
  struct passwd* found = nullptr;
  const std::string lowered = lower(name);
  const int error = ::getpwnam_r(lowered.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (error != 0 && error != ENOENT && error != ESRCH) return os_failure("look up an account", error);
  if (found == nullptr) return std::optional<MailboxUser>();
  return mailbox_of_account(lowered, entry);
}

}  // namespace

Result<std::optional<MailboxUser>> mailbox_of_account(const std::string& name, const passwd& entry) {
  if (entry.pw_uid == 0 || entry.pw_gid == 0) return std::optional<MailboxUser>();
  const std::string path = entry.pw_dir == nullptr ? "" : entry.pw_dir;
  struct stat home {};
  std::string wrong;
  if (!path.starts_with('/')) {
    wrong = "is no path from /";
  } else if (::stat(path.c_str(), &home) < 0) {
    const int error = errno;
    if (error != ENOENT && error != ENOTDIR) return os_failure("look at the home " + printable(path), error);
    wrong = "is not there";
  } else if (!S_ISDIR(home.st_mode)) {
    wrong = "is not a directory";
  } else if (home.st_uid != entry.pw_uid) {
    return std::optional<MailboxUser>();  // as qmail-getpw: the alias user takes over
  }
  if (wrong.empty()) {
    return std::optional<MailboxUser>(MailboxUser{name, entry.pw_uid, entry.pw_gid, path, "", ""});
  }
  if (entry.pw_uid < kFirstOrdinaryUid || path == kNoHome) return std::optional<MailboxUser>();
  // The account is known, so the address is; /home may just not be mounted yet.
  return temporary("the home \"" + printable(path) + "\" of the account " + printable(name) + " " + wrong);
}

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
