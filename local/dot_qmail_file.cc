#include "local/dot_qmail_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "lib/envelope.h"
#include "lib/fd.h"
#include "lib/text.h"
#include "local/dot_qmail.h"

namespace postern {

namespace {

constexpr mode_t kForbiddenBits = S_IWOTH;  // qmail's default, too: a group is its owner's choice

// There is no such file; anything else that keeps us from it is temporary.
bool means_absent(int error) {
  return error == ENOENT || error == ENOTDIR || error == ENAMETOOLONG;
}

// True when the file is there and was read.
Result<bool> read_if_there(const std::string& name, DotQmailFile& file) {
  // Without O_NONBLOCK a FIFO would hold us up.
  const Fd fd{::open(name.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
  if (!fd) {
    if (means_absent(errno)) return false;
    return os_failure("open " + printable(name), errno);
  }
  struct stat status {};
  if (::fstat(fd.get(), &status) < 0) return os_failure("look at " + printable(name), errno);
  if (!S_ISREG(status.st_mode)) return false;
  if ((status.st_mode & kForbiddenBits) != 0) {
    return temporary("follow " + printable(name) + ": everybody may write it; chmod o-w it", 0, "4.7.0");
  }
  Result<std::string> text = read_to_end(fd.get(), kDotQmailLimitBytes, "read " + printable(name));
  if (!text) return temporary(text.failure().text, 0, "4.2.1");
  file.name = name;
  file.text = std::move(*text);
  file.forward_only = (status.st_mode & S_IXUSR) != 0;
  return true;
}

Result<bool> is_there(const std::string& name) {
  struct stat status {};
  if (::stat(name.c_str(), &status) == 0) return S_ISREG(status.st_mode);
  if (means_absent(errno)) return false;
  return os_failure("look at " + printable(name), errno);
}

}  // namespace

std::string safe_extension(std::string_view ext) {
  std::string safe = lower(ext);
  std::replace(safe.begin(), safe.end(), '.', ':');
  return safe;
}

Result<DotQmailFile> find_dot_qmail(std::string_view dash, std::string_view ext) {
  DotQmailFile file;
  const std::string safe = safe_extension(ext);
  const std::string base = ".qmail" + std::string(dash);
  Result<bool> there = read_if_there(base + safe, file);
  if (!there) return there.failure();
  if (*there || dash.empty()) return file;
  for (size_t end = safe.size() + 1; end-- > 0;) {
    if (end != 0 && safe[end - 1] != '-') continue;
    there = read_if_there(base + safe.substr(0, end) + "default", file);
    if (!there) return there.failure();
    if (!*there) continue;
    file.matched = std::string(ext.substr(end));
    return file;
  }
  return permanent("no mailbox here by that name", 0, "5.1.1");
}

Result<std::string> forward_sender(std::string_view sender, std::string_view local, std::string_view dash,
                                   std::string_view ext, std::string_view domain) {
  if (is_notification_sender(sender)) return std::string(sender);
  const std::string base = ".qmail" + std::string(dash) + safe_extension(ext);
  Result<bool> owner = is_there(base + "-owner");
  if (!owner) return owner.failure();
  if (!*owner) return std::string(sender);
  Result<bool> each = is_there(base + "-owner-default");
  if (!each) return each.failure();
  return std::string(local) + (*each ? "-owner-@" : "-owner@") + std::string(domain) + (*each ? "-@[]" : "");
}

}  // namespace postern
