// Descriptors: owned handles, whole writes, bounded reads, anonymous files.
#pragma once

#include <fcntl.h>
#include <sys/types.h>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "lib/result.h"

namespace postern {

// Owns one descriptor; closes it when it goes. A test for truth asks whether it holds one.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }
  void reset(int fd = -1);
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// Writes all of it; EINTR is retried. The failure says `doing`.
Result<void> write_all(int fd, std::string_view bytes, std::string_view doing);
Result<void> pwrite_all(int fd, std::string_view bytes, off_t offset, std::string_view doing);

// One read(2), retried on EINTR; 0 at end of file.
Result<size_t> read_some(int fd, std::span<char> into, std::string_view doing);
// pread(2) until the span is full or the file ends; how many bytes came.
Result<size_t> pread_full(int fd, std::span<char> into, off_t offset, std::string_view doing);

// Everything up to end of file. More than `limit_bytes` is a permanent failure with status 5.3.4.
Result<std::string> read_to_end(int fd, size_t limit_bytes, std::string_view doing);
// The same from the start of what can seek (whose offset others may share), from where it is for pipes.
Result<std::string> read_whole(int fd, size_t limit_bytes, std::string_view doing);
// The whole of a small file; a missing file is a failure like any other (errno text in it).
Result<std::string> read_file(const std::string& path, size_t limit_bytes);
// Bytes [offset, offset+length) of a file.
Result<std::string> pread_string(int fd, off_t offset, size_t length, std::string_view doing);

// Copies `length` bytes from `from` at `from_offset` to the end of `to`, 64 KiB at a time.
Result<void> copy_range(int from, off_t from_offset, size_t length, int to, std::string_view doing);
// Copies from the current position to end of file; how many bytes. More than `limit_bytes`: permanent, 5.3.4.
Result<size_t> copy_to_end(int from, int to, size_t limit_bytes, std::string_view doing);

// Of bytes from the beginning of the file; `bytes` 0 is to its end, `type` F_RDLCK, F_WRLCK or F_UNLCK
// (fcntl(2)).
struct flock lock_of(short type, off_t first, off_t bytes);

Result<size_t> file_size(int fd, std::string_view doing);

// An anonymous file in memory (memfd_create), close-on-exec, sealable.
Result<Fd> memory_file(const char* name);
Result<Fd> memory_file_with(const char* name, std::string_view bytes);
// No one can change it any more: F_SEAL_WRITE|SHRINK|GROW. It may then be passed to another user.
Result<void> seal(int fd);
bool is_sealed(int fd);
// A file that cannot change under us: a duplicate of `fd` when it is a sealed memory file, else a sealed
// copy of what is read from it (from the current offset for pipes, from 0 for files).
Result<Fd> own_copy(int fd, size_t limit_bytes, std::string_view doing);

// A read-only description of its own of an open file, at offset 0.
Result<Fd> reopen_for_reading(int fd);

Result<void> fsync_file(int fd, std::string_view doing);
Result<void> fsync_directory(const std::string& path);

}  // namespace postern
