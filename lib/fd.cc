#include "lib/fd.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace postern {

namespace {

constexpr size_t kBuffer = 65536;
constexpr int kSeals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW;

Failure too_large(std::string_view doing, size_t limit_bytes) {
  return permanent(std::string(doing) + ": more than " + std::to_string(limit_bytes) + " bytes", 0, "5.3.4");
}

}  // namespace

Failure os_failure(std::string doing, int error_number, int exit_code) {
  doing += ": ";
  doing += ::strerror(error_number);
  const bool full = error_number == ENOSPC || error_number == EDQUOT;
  Failure failure = temporary(std::move(doing), exit_code, full ? "4.3.1" : "4.3.0");
  failure.shortage = error_number == EMFILE || error_number == ENFILE || error_number == ENOMEM;
  return failure;
}

void Fd::reset(int fd) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

Result<void> write_all(int fd, std::string_view bytes, std::string_view doing) {
  while (!bytes.empty()) {
    const ssize_t wrote = ::write(fd, bytes.data(), bytes.size());
    if (wrote < 0) {
      if (errno == EINTR) continue;
      return os_failure(std::string(doing), errno);
    }
    bytes.remove_prefix(static_cast<size_t>(wrote));
  }
  return {};
}

Result<void> pwrite_all(int fd, std::string_view bytes, off_t offset, std::string_view doing) {
  while (!bytes.empty()) {
    const ssize_t wrote = ::pwrite(fd, bytes.data(), bytes.size(), offset);
    if (wrote < 0) {
      if (errno == EINTR) continue;
      return os_failure(std::string(doing), errno);
    }
    bytes.remove_prefix(static_cast<size_t>(wrote));
    offset += wrote;
  }
  return {};
}

Result<size_t> read_some(int fd, std::span<char> into, std::string_view doing) {
  for (;;) {
    const ssize_t got = ::read(fd, into.data(), into.size());
    if (got >= 0) return static_cast<size_t>(got);
    if (errno != EINTR) return os_failure(std::string(doing), errno);
  }
}

Result<size_t> pread_full(int fd, std::span<char> into, off_t offset, std::string_view doing) {
  size_t have = 0;
  while (have < into.size()) {
    const ssize_t got =
        ::pread(fd, into.data() + have, into.size() - have, offset + static_cast<off_t>(have));
    if (got < 0) {
      if (errno == EINTR) continue;
      return os_failure(std::string(doing), errno);
    }
    if (got == 0) break;
    have += static_cast<size_t>(got);
  }
  return have;
}

Result<std::string> read_to_end(int fd, size_t limit_bytes, std::string_view doing) {
  std::string all;
  std::array<char, 4096> buffer;
  for (;;) {
    Result<size_t> got = read_some(fd, buffer, doing);
    if (!got) return got.failure();
    if (*got == 0) return all;
    if (*got > limit_bytes - all.size()) return too_large(doing, limit_bytes);
    all.append(buffer.data(), *got);
  }
}

Result<std::string> read_whole(int fd, size_t limit_bytes, std::string_view doing) {
  if (::lseek(fd, 0, SEEK_CUR) < 0) return read_to_end(fd, limit_bytes, doing);
  Result<size_t> size = file_size(fd, doing);
  if (!size) return size.failure();
  if (*size > limit_bytes) return too_large(doing, limit_bytes);
  return pread_string(fd, 0, *size, doing);
}

Result<std::string> read_file(const std::string& path, size_t limit_bytes) {
  const Fd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!fd) return os_failure("open " + path, errno);
  return read_to_end(fd.get(), limit_bytes, "read " + path);
}

Result<std::string> pread_string(int fd, off_t offset, size_t length, std::string_view doing) {
  std::string bytes(length, '\0');
  Result<size_t> got = pread_full(fd, bytes, offset, doing);
  if (!got) return got.failure();
  if (*got != length) return temporary(std::string(doing) + ": the file is shorter than it says");
  return bytes;
}

Result<void> copy_range(int from, off_t from_offset, size_t length, int to, std::string_view doing) {
  std::array<char, kBuffer> buffer;
  while (length > 0) {
    const std::span<char> part(buffer.data(), std::min(length, buffer.size()));
    Result<size_t> got = pread_full(from, part, from_offset, doing);
    if (!got) return got.failure();
    if (*got != part.size()) return temporary(std::string(doing) + ": the file is shorter than it says");
    Result<void> wrote = write_all(to, {part.data(), part.size()}, doing);
    if (!wrote) return wrote;
    from_offset += static_cast<off_t>(part.size());
    length -= part.size();
  }
  return {};
}

Result<size_t> copy_to_end(int from, int to, size_t limit_bytes, std::string_view doing) {
  std::array<char, kBuffer> buffer;
  size_t total = 0;
  for (;;) {
    Result<size_t> got = read_some(from, buffer, doing);
    if (!got) return got.failure();
    if (*got == 0) return total;
    if (*got > limit_bytes - total) return too_large(doing, limit_bytes);
    Result<void> wrote = write_all(to, {buffer.data(), *got}, doing);
    if (!wrote) return wrote.failure();
    total += *got;
  }
}

struct flock lock_of(short type, off_t first, off_t bytes) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = first;
  lock.l_len = bytes;
  return lock;
}

Result<size_t> file_size(int fd, std::string_view doing) {
  struct stat status {};
  if (::fstat(fd, &status) < 0) return os_failure(std::string(doing), errno);
  return static_cast<size_t>(status.st_size);
}

Result<Fd> memory_file(const char* name) {
  Fd fd{::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING)};
  if (!fd) return os_failure("make a memory file", errno);
  return fd;
}

Result<Fd> memory_file_with(const char* name, std::string_view bytes) {
  Result<Fd> fd = memory_file(name);
  if (!fd) return fd;
  Result<void> wrote = pwrite_all(fd->get(), bytes, 0, "write a memory file");
  if (!wrote) return wrote.failure();
  return fd;
}

Result<void> seal(int fd) {
  if (::fcntl(fd, F_ADD_SEALS, kSeals) < 0) return os_failure("seal a memory file", errno);
  return {};
}

bool is_sealed(int fd) {
  const int seals = ::fcntl(fd, F_GET_SEALS);
  return seals >= 0 && (seals & kSeals) == kSeals;
}

Result<Fd> own_copy(int fd, size_t limit_bytes, std::string_view doing) {
  if (is_sealed(fd)) {
    Result<size_t> size = file_size(fd, doing);
    if (!size) return size.failure();
    if (*size > limit_bytes) return too_large(doing, limit_bytes);
    Fd twin{::fcntl(fd, F_DUPFD_CLOEXEC, 3)};
    if (!twin) return os_failure(std::string(doing), errno);
    return twin;
  }
  if (::lseek(fd, 0, SEEK_SET) < 0 && errno != ESPIPE) return os_failure(std::string(doing), errno);
  Result<Fd> copy = memory_file("copy");
  if (!copy) return copy;
  Result<size_t> copied = copy_to_end(fd, copy->get(), limit_bytes, doing);
  if (!copied) return copied.failure();
  Result<void> sealed = seal(copy->get());
  if (!sealed) return sealed.failure();
  return copy;
}

Result<Fd> reopen_for_reading(int fd) {
  Fd own{::open(("/proc/self/fd/" + std::to_string(fd)).c_str(), O_RDONLY | O_CLOEXEC)};
  if (!own) return os_failure("open a file again for reading", errno);
  return own;
}

Result<void> fsync_file(int fd, std::string_view doing) {
  while (::fsync(fd) < 0) {
    if (errno != EINTR) return os_failure(std::string(doing), errno);
  }
  return {};
}

Result<void> fsync_directory(const std::string& path) {
  const Fd fd{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!fd) return os_failure("open " + path, errno);
  return fsync_file(fd.get(), "fsync " + path);
}

}  // namespace postern
