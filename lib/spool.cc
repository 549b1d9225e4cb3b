#include "lib/spool.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

#include "lib/log.h"
#include "lib/mid.h"

namespace postern {

namespace {

constexpr std::array<const char*, 4> kPlaces = {"tmp", "new", "cur", "defer"};
constexpr int kClashTries = 10;

// No room is no room, whatever wanted it: 53, so that the client hears 4.3.1. `exit_code` for all else.
Failure disk_failure(std::string doing, int error_number, int exit_code) {
  const bool full = error_number == ENOSPC || error_number == EDQUOT;
  return os_failure(std::move(doing), error_number, full ? 53 : exit_code);
}

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};
using Directory = std::unique_ptr<DIR, CloseDirectory>;

}  // namespace

StagedMessage::StagedMessage(StagedMessage&& other) noexcept
    : mid_(other.mid_),
      message_size_(other.message_size_),
      temporary_path_(std::exchange(other.temporary_path_, {})) {}

StagedMessage& StagedMessage::operator=(StagedMessage&& other) noexcept {
  std::swap(mid_, other.mid_);
  std::swap(message_size_, other.message_size_);
  std::swap(temporary_path_, other.temporary_path_);
  return *this;
}

StagedMessage::~StagedMessage() {
  if (!temporary_path_.empty()) ::unlink(temporary_path_.c_str());
}

std::string Spool::path(std::string_view where, uint64_t mid) const {
  std::string path = directory_;
  path.append("/").append(where).append("/").append(std::to_string(mid % POSTERN_SPLIT));
  return path.append("/").append(std::to_string(mid));
}

std::vector<std::string> Spool::directories() const {
  std::vector<std::string> all;
  for (const char* place : kPlaces) {
    const std::string top = directory_ + "/" + place;
    all.push_back(top);
    for (unsigned part = 0; part < POSTERN_SPLIT; ++part) all.push_back(top + "/" + std::to_string(part));
  }
  return all;
}

Result<void> Spool::make_directories() const {
  std::vector<std::string> all = directories();
  all.insert(all.begin(), directory_);
  for (const std::string& path : all) {
    if (::mkdir(path.c_str(), 0700) < 0 && errno != EEXIST) return os_failure("make " + path, errno, 61);
  }
  return {};
}

Result<StagedMessage> Spool::stage(const Content& content, uint64_t wanted_mid) const {
  StagedMessage staged;
  staged.mid_ = wanted_mid != 0 ? wanted_mid : make_mid();
  Fd file;
  // The name under tmp/ is another one where a writer that was killed has left that file: the mid stays.
  uint64_t name = staged.mid_;
  for (int tries = 0; !file; ++tries) {
    const std::string path = this->path("tmp", name);
    file.reset(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (file) {
      staged.temporary_path_ = path;
    } else if (errno != EEXIST || tries == kClashTries) {
      return disk_failure("create " + path, errno, 63);
    } else {
      name = make_mid();
    }
  }
  Result<QueuedMessage> written = write_queue_file(file.get(), content.message, content.limit_bytes,
                                                   content.first_header, content.envelope, content.kept);
  if (!written) return written.failure();
  staged.message_size_ = written->message_size;
  // After a failed fsync the file is never trusted again: it goes with `staged`.
  if (Result<void> synced = fsync_file(file.get(), "fsync " + staged.temporary_path_); !synced) {
    return Failure{Kind::temporary, synced.failure().status, synced.failure().text, 53};
  }
  if (::close(file.release()) < 0) return os_failure("close " + staged.temporary_path_, errno, 53);
  return staged;
}

Result<uint64_t> Spool::settle(StagedMessage& message, const std::string& final_path) {
  message.temporary_path_.clear();
  const std::string parent = final_path.substr(0, final_path.rfind('/'));
  if (Result<void> synced = fsync_directory(parent); !synced) {
    // Nobody has been told yes: take it back rather than have it twice after the client's retry.
    // Who works the spool may have taken it over already. A yes would promise what a loss of power can
    // undo.
    if (::unlink(final_path.c_str()) < 0) {
      log_warning("take back MID " + std::to_string(message.mid_) +
                      ", which was refused; it is delivered, and after the client's retry twice",
                  os_failure("remove " + final_path, errno).text);
    }
    return Failure{Kind::temporary, synced.failure().status, synced.failure().text, 64};
  }
  return message.mid_;
}

Result<uint64_t> Spool::commit(StagedMessage&& staged, const std::function<Result<bool>()>& is_ours) const {
  StagedMessage message = std::move(staged);
  for (int tries = 0;; ++tries) {
    const std::string final_path = path("new", message.mid_);
    const std::string moved_on = path("cur", message.mid_);
    bool taken = ::access(moved_on.c_str(), F_OK) == 0;
    if (!taken && ::renameat2(AT_FDCWD, message.temporary_path_.c_str(), AT_FDCWD, final_path.c_str(),
                              RENAME_NOREPLACE) == 0) {
      // A message of the same number may have gone through new/ since we looked. Where ours is in new/ no
      // more it is the one in cur/.
      taken = ::access(moved_on.c_str(), F_OK) == 0 &&
              ::rename(final_path.c_str(), message.temporary_path_.c_str()) == 0;
      if (!taken) return settle(message, final_path);
    } else if (!taken && errno != EEXIST) {
      return disk_failure("rename to " + final_path, errno, 64);
    }
    if (tries == kClashTries) return temporary("find a free name for " + final_path, 64);
    if (is_ours && tries == 0) {
      const Result<bool> ours = is_ours();
      if (!ours) return ours.failure();
      if (*ours) return message.mid_;
    }
    message.mid_ = make_mid();
  }
}

Result<Fd> Spool::open(uint64_t mid) const {
  // In the order in which a message moves, so that one that is being taken is not missed.
  for (const char* place : {"new", "cur"}) {
    Fd file{::open(path(place, mid).c_str(), O_RDWR | O_CLOEXEC)};
    if (file) return file;
    if (errno != ENOENT) return os_failure("open " + path(place, mid), errno);
  }
  return permanent("open message " + std::to_string(mid) + ": there is none in " + directory_);
}

Result<void> Spool::list_part(std::string_view where, unsigned part, std::vector<uint64_t>& mids) const {
  const std::string path = directory_ + "/" + std::string(where) + "/" + std::to_string(part);
  const Directory directory{::opendir(path.c_str())};
  if (!directory) return os_failure("open " + path, errno, 62);
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(directory.get());
    if (entry == nullptr) return errno == 0 ? Result<void>() : os_failure("read " + path, errno, 62);
    if (const std::optional<uint64_t> mid = parse_mid(entry->d_name)) mids.push_back(*mid);
  }
}

Result<std::vector<uint64_t>> Spool::list(std::string_view where) const {
  std::vector<uint64_t> mids;
  for (unsigned part = 0; part < POSTERN_SPLIT; ++part) {
    if (Result<void> listed = list_part(where, part, mids); !listed) return listed.failure();
  }
  return mids;
}

Result<void> Spool::take(uint64_t mid) const {
  const std::string from = path("new", mid);
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, path("cur", mid).c_str(), RENAME_NOREPLACE) == 0)
    return {};
  if (errno == ENOENT) return permanent("take " + from + ": it is not there");
  return os_failure("take " + from, errno);
}

Result<void> Spool::finish(uint64_t mid, bool was_deferred) const {
  if (was_deferred) ::unlink(path("defer", mid).c_str());
  const std::string path = this->path("cur", mid);
  if (::unlink(path.c_str()) < 0 && errno != ENOENT) return os_failure("remove " + path, errno);
  return {};
}

Result<void> Spool::remove(uint64_t mid) const {
  // The message goes last: what stands beside a message that is gone would be debris.
  for (const char* place : {"defer", "new", "cur"}) {
    const std::string path = this->path(place, mid);
    if (::unlink(path.c_str()) < 0 && errno != ENOENT) return os_failure("remove " + path, errno);
  }
  return {};
}

void Spool::collect_garbage() const {
  collect_unfinished();
  collect_left_attempts();
}

void Spool::collect_unfinished() const {
  Result<std::vector<uint64_t>> mids = list("tmp");
  if (!mids) return log_warning("collect garbage", mids.failure());
  const time_t now = ::time(nullptr);
  for (const uint64_t mid : *mids) {
    const std::string path = this->path("tmp", mid);
    struct stat status {};
    if (::stat(path.c_str(), &status) == 0 && now - status.st_mtime > kGarbageSeconds) ::unlink(path.c_str());
  }
}

void Spool::collect_left_attempts() const {
  // In the order in which a message moves, and after what it left: nothing that comes or goes meanwhile is
  // mistaken.
  Result<std::vector<uint64_t>> left = list("defer");
  Result<std::vector<uint64_t>> arrived = list("new");
  Result<std::vector<uint64_t>> taken = list("cur");
  for (Result<std::vector<uint64_t>>* listed : {&left, &arrived, &taken}) {
    if (!*listed) return log_warning("collect garbage", listed->failure());
    std::sort((*listed)->begin(), (*listed)->end());
  }
  const auto among = [](const std::vector<uint64_t>& mids, uint64_t mid) {
    return std::binary_search(mids.begin(), mids.end(), mid);
  };
  for (const uint64_t mid : *left) {
    if (!among(*arrived, mid) && !among(*taken, mid)) ::unlink(path("defer", mid).c_str());
  }
}

}  // namespace postern
