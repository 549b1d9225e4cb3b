#include "queue/leases.h"

#include <fcntl.h>

#include <cerrno>
#include <functional>

namespace postern {

namespace {

// Offsets end at 2^63 - 1. Two sites on one byte would only wait for each other's old jobs.
long long byte_of(const std::string& site) {
  return static_cast<long long>(std::hash<std::string>{}(site) >> 2);
}

}  // namespace

Result<Fd> Leases::take(const std::string& site) {
  Fd file{::open(path_.c_str(), O_RDONLY | O_CREAT | O_CLOEXEC, 0600)};
  if (!file) return os_failure("open " + path_, errno);
  struct flock lock = lock_of(F_RDLCK, byte_of(site), 1);
  if (::fcntl(file.get(), F_OFD_SETLK, &lock) < 0) return os_failure("lock " + path_, errno);
  return file;
}

bool Leases::locked(long long first, long long bytes) {
  if (!file_) file_.reset(::open(path_.c_str(), O_RDWR | O_CLOEXEC));
  struct flock lock = lock_of(F_WRLCK, first, bytes);
  return file_ && ::fcntl(file_.get(), F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

bool Leases::taken(const std::string& site) {
  return locked(byte_of(site), 1);
}

bool Leases::any_taken() {
  return locked(0, 0);
}

}  // namespace postern
