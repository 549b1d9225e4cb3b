#include "local/maildir.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>

#include "lib/fd.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr int kNamesToTry = 3;

// Counts the names that this process has made: two deliveries within one microsecond still differ.
constinit uint64_t names_made = 0;

// A file under tmp/ that goes away unless it was moved.
class TemporaryFile {
 public:
  TemporaryFile(int directory, std::string name, Fd fd)
      : directory_(directory), name_(std::move(name)), fd_(std::move(fd)) {}
  TemporaryFile(TemporaryFile&& other) noexcept
      : directory_(std::exchange(other.directory_, -1)),
        name_(std::move(other.name_)),
        fd_(std::move(other.fd_)) {}
  TemporaryFile& operator=(TemporaryFile&&) = delete;
  ~TemporaryFile() {
    if (directory_ >= 0) ::unlinkat(directory_, ("tmp/" + name_).c_str(), 0);
  }
  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] const std::string& name() const { return name_; }

  // Closes the file; close can report what was not written on file systems of other machines.
  Result<void> close() {
    if (::close(fd_.release()) < 0) return os_failure("close " + name_, errno);
    return {};
  }

  // tmp/NAME to new/NAME, never over a file that is there: EEXIST says so.
  int move_to_new() {
    const std::string from = "tmp/" + name_;
    const std::string to = "new/" + name_;
    if (::renameat2(directory_, from.c_str(), directory_, to.c_str(), RENAME_NOREPLACE) < 0) {
      if (errno != EINVAL && errno != ENOSYS) return errno;
      // This file system cannot refuse to replace: a link can. The old name goes with us.
      return ::linkat(directory_, from.c_str(), directory_, to.c_str(), 0) < 0 ? errno : 0;
    }
    directory_ = -1;
    return 0;
  }

 private:
  int directory_;
  std::string name_;
  Fd fd_;
};

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) < 0 || name[0] == '\0') return "localhost";
  return name.data();
}

Failure missing(const std::string& maildir, int error) {
  std::string doing = "open the Maildir " + printable(maildir);
  if (error != ENOENT) return os_failure(std::move(doing), error);
  Failure failure = os_failure(std::move(doing), error);
  failure.text += "; its owner makes it with mkdir -p Maildir/tmp Maildir/new Maildir/cur";
  failure.status = "4.2.1";
  return failure;
}

Result<TemporaryFile> create(int directory, const std::string& maildir, const std::string& suffix) {
  const std::string host = host_name();
  for (int tries = 1;; ++tries) {
    std::string name = maildir_name(now_microseconds(), ::getpid(), ++names_made, host) + suffix;
    Fd fd{::openat(directory, ("tmp/" + name).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
    if (fd) return TemporaryFile(directory, std::move(name), std::move(fd));
    if (errno == ENOENT) return missing(maildir + "tmp", errno);
    if (errno != EEXIST || tries == kNamesToTry)
      return os_failure("make a file in " + printable(maildir) + "tmp", errno);
  }
}

Result<void> write_durably(TemporaryFile& file, std::string_view first_lines, int message,
                           size_t message_bytes) {
  const std::string doing = "write " + printable(file.name());
  if (Result<void> wrote = write_all(file.fd(), first_lines, doing); !wrote) return wrote;
  if (Result<void> copied = copy_range(message, 0, message_bytes, file.fd(), doing); !copied) return copied;
  if (Result<void> synced = fsync_file(file.fd(), doing); !synced) return synced;
  return file.close();
}

}  // namespace

std::string maildir_name(uint64_t microseconds_since_1970, int64_t pid, uint64_t count,
                         std::string_view host) {
  std::string name = std::to_string(microseconds_since_1970 / 1000000) + ".M" +
                     std::to_string(microseconds_since_1970 % 1000000) + "P" + std::to_string(pid) + "Q" +
                     std::to_string(count) + ".";
  for (const char c : host) {
    if (c == '/') {
      name += "\\057";
    } else if (c == ':') {
      name += "\\072";
    } else {
      name += c;
    }
  }
  return name;
}

Result<std::string> deliver_to_maildir(const std::string& maildir, std::string_view first_lines, int message,
                                       SizeInName in_name) {
  const std::string base = maildir.ends_with('/') ? maildir : maildir + "/";
  const Fd directory{::open(base.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!directory) return missing(base, errno);
  // Opened before anything is written: a Maildir without new/ costs nothing but the message.
  const Fd arrivals{::openat(directory.get(), "new", O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!arrivals) return missing(base + "new", errno);
  Result<size_t> size = file_size(message, "read the message");
  if (!size) return size.failure();
  const std::string suffix =
      in_name == SizeInName::yes ? ",S=" + std::to_string(first_lines.size() + *size) : std::string();
  Result<TemporaryFile> file = create(directory.get(), base, suffix);
  if (!file) return file.failure();
  if (Result<void> wrote = write_durably(*file, first_lines, message, *size); !wrote) return wrote.failure();
  const std::string path = base + "new/" + file->name();
  if (const int error = file->move_to_new(); error != 0)
    return os_failure("move a message to " + printable(path), error);
  // When this fails the message may be there already: it is tried again, because twice is better than never.
  if (Result<void> synced = fsync_file(arrivals.get(), "sync " + printable(base) + "new"); !synced)
    return synced.failure();
  return path;
}

}  // namespace postern
