#include "local/mbox.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "lib/child.h"
#include "lib/fd.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr std::string_view kFrom = "From ";
constexpr size_t kBufferBytes = 65536;
constexpr int kLockTryMilliseconds = 50;

Failure no_file(const std::string& path) {
  return temporary("use " + printable(path) + ": it is no plain file; a Maildir is named with / at its end",
                   0, "4.2.1");
}

struct OpenMbox {
  Fd file;
  bool is_new;
};

// Where others may put names into the directory (/var/mail), a symbolic link may be theirs, and would lead
// our user's rights to any file of his.
Result<OpenMbox> open_mbox(const std::string& path) {
  struct stat parent {};
  if (::stat(directory_of(path).c_str(), &parent) < 0)
    return os_failure("look at " + printable(directory_of(path)), errno);
  const bool shared =
      (parent.st_mode & (S_IWGRP | S_IWOTH)) != 0 || (parent.st_uid != ::geteuid() && parent.st_uid != 0);
  const int flags = O_RDWR | O_APPEND | O_NONBLOCK | O_CLOEXEC | (shared ? O_NOFOLLOW : 0);
  OpenMbox mbox{Fd{::open(path.c_str(), flags)}, false};
  if (!mbox.file && errno == ENOENT) {
    mbox.file.reset(::open(path.c_str(), flags | O_CREAT, 0600));
    mbox.is_new = true;
  }
  if (!mbox.file && errno == EISDIR) return no_file(path);
  if (!mbox.file && errno == ELOOP && shared)
    return temporary(
        "open " + printable(path) + ": it is a symbolic link in a directory that others may write", 0,
        "4.7.0");
  if (!mbox.file) return os_failure("open " + printable(path), errno);
  struct stat status {};
  if (::fstat(mbox.file.get(), &status) < 0) return os_failure("look at " + printable(path), errno);
  if (!S_ISREG(status.st_mode)) return no_file(path);
  if (shared && (status.st_uid != ::geteuid() || status.st_nlink != 1))
    return temporary("use " + printable(path) + ": it belongs to another, or has a second name", 0, "4.7.0");
  return mbox;
}

// Both locks or none, at once.
Result<bool> try_lock(int fd, const std::string& path) {
  struct flock whole = lock_of(F_WRLCK, 0, 0);
  // Of the open file: it stays when another descriptor of the file is closed, and meets the process's locks
  // of others all the same.
  if (::fcntl(fd, F_OFD_SETLK, &whole) < 0) {
    if (errno == EAGAIN || errno == EACCES) return false;
    return os_failure("lock " + printable(path), errno);
  }
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return true;
  const int error = errno;
  whole.l_type = F_UNLCK;
  (void)::fcntl(fd, F_OFD_SETLK, &whole);
  if (error == EWOULDBLOCK) return false;
  return os_failure("lock " + printable(path), error);
}

Result<void> lock_mbox(int fd, const std::string& path, int64_t limit_milliseconds) {
  const int64_t deadline = now_milliseconds() + limit_milliseconds;
  for (;;) {
    Result<bool> locked = try_lock(fd, path);
    if (!locked) return locked.failure();
    if (*locked) return {};
    if (now_milliseconds() >= deadline)
      return temporary("lock " + printable(path) + ": another program has held it for " +
                           std::to_string(limit_milliseconds / 1000) + " s",
                       0, "4.2.1");
    ::poll(nullptr, 0, kLockTryMilliseconds);
  }
}

// A reader may have put a new file in the place of the one that we were waiting for.
Result<void> check_same_file(int fd, const std::string& path) {
  struct stat ours {};
  struct stat named {};
  if (::fstat(fd, &ours) < 0) return os_failure("look at " + printable(path), errno);
  if (::stat(path.c_str(), &named) == 0 && named.st_ino == ours.st_ino && named.st_dev == ours.st_dev)
    return {};
  return temporary("write " + printable(path) + ": another file stands in its place by now", 0, "4.2.1");
}

// A file may end in the middle of a message, left by a writer that was killed: the next one still begins with
// a From_ line behind an empty line.
Result<std::string> missing_end(int fd, off_t size) {
  if (size == 0) return std::string();
  const off_t looked = std::min<off_t>(size, 2);
  Result<std::string> tail = pread_string(fd, size - looked, static_cast<size_t>(looked), "read an mbox");
  if (!tail) return tail;
  if (tail->ends_with("\n\n") || *tail == "\n") return std::string();
  return std::string(tail->ends_with('\n') ? "\n" : "\n\n");
}

Result<void> append_message(int fd, std::string bytes, int message, const std::string& doing) {
  Result<size_t> size = file_size(message, "read the message");
  if (!size) return size.failure();
  std::array<char, kBufferBytes> buffer;
  MboxQuoting quoting;
  for (size_t offset = 0; offset < *size;) {
    Result<size_t> got = pread_full(message, buffer, static_cast<off_t>(offset), "read the message");
    if (!got) return got.failure();
    if (*got == 0) return temporary("read the message: the file is shorter than it says");
    quoting.feed({buffer.data(), *got}, bytes);
    if (Result<void> wrote = write_all(fd, bytes, doing); !wrote) return wrote;
    bytes.clear();
    offset += *got;
  }
  quoting.end(bytes);
  if (Result<void> wrote = write_all(fd, bytes, doing); !wrote) return wrote;
  return fsync_file(fd, doing);
}

}  // namespace

std::string mbox_from_line(std::string_view sender, uint64_t seconds_since_1970) {
  std::string who(sender.empty() ? "MAILER-DAEMON" : sender);
  std::replace_if(
      who.begin(), who.end(),
      [](char c) { return static_cast<unsigned char>(c) <= ' ' || static_cast<unsigned char>(c) == 0x7f; },
      '-');
  const auto seconds = static_cast<time_t>(seconds_since_1970);
  struct tm parts {};
  std::array<char, 26> date{};  // "Thu Jan  1 00:00:00 1970\n": what asctime_r needs
  ::gmtime_r(&seconds, &parts);
  if (::asctime_r(&parts, date.data()) == nullptr) date = {"Thu Jan  1 00:00:00 1970\n"};
  return "From " + who + " " + date.data();
}

void MboxQuoting::feed(std::string_view piece, std::string& into) {
  while (!piece.empty()) {
    if (!deciding_) {
      const size_t end = std::min(piece.find('\n'), piece.size() - 1);
      deciding_ = fresh_ = piece[end] == '\n';
      into.append(piece.substr(0, end + 1));
      piece.remove_prefix(end + 1);
      continue;
    }
    // A line's beginning: any number of '>', then "From ". `start_` holds only what still matches; of the '>'
    // no more than can be told apart is kept.
    const char c = piece.front();
    fresh_ = false;
    if (start_.empty() && c == '>') {
      // The quoting '>' may as well stand behind those that are there: they are all alike.
      into += '>';
      piece.remove_prefix(1);
    } else if (c == kFrom[start_.size()]) {
      start_ += c;
      piece.remove_prefix(1);
      if (start_.size() == kFrom.size()) {
        into.append(">").append(start_);
        start_.clear();
        deciding_ = false;
      }
    } else {
      into.append(start_);
      start_.clear();
      deciding_ = false;
    }
  }
}

void MboxQuoting::end(std::string& into) {
  into.append(start_);
  into.append(fresh_ ? "\n" : "\n\n");
  start_.clear();
  deciding_ = fresh_ = true;
}

Result<std::string> deliver_to_mbox(const std::string& path, std::string_view first_lines, int message,
                                    int64_t lock_milliseconds) {
  Result<OpenMbox> mbox = open_mbox(path);
  if (!mbox) return mbox.failure();
  const int fd = mbox->file.get();
  if (Result<void> locked = lock_mbox(fd, path, lock_milliseconds); !locked) return locked.failure();
  if (Result<void> same = check_same_file(fd, path); !same) return same.failure();
  const off_t before = ::lseek(fd, 0, SEEK_END);
  if (before < 0) return os_failure("find the end of " + printable(path), errno);
  Result<std::string> begin = missing_end(fd, before);
  if (!begin) return begin;
  const std::string doing = "write " + printable(path);
  Result<void> appended = append_message(fd, *begin + std::string(first_lines), message, doing);
  if (appended && mbox->is_new) appended = fsync_directory(directory_of(path));
  if (!appended) {
    if (::ftruncate(fd, before) < 0)
      return os_failure("cut off what was written of a message to " + printable(path), errno);
    return appended.failure();
  }
  if (::close(mbox->file.release()) < 0) return os_failure("close " + printable(path), errno);
  return path;
}

}  // namespace postern
