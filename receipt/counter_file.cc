#include "receipt/counter_file.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>

#include "lib/fd.h"
#include "lib/log.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kFileLimitBytes = size_t{1} << 30;

// What those have left that were killed while they wrote: PATH.PID.new.
void remove_unfinished(const std::string& path) {
  const std::string directory = directory_of(path);
  const std::string front = path.substr(path.rfind('/') + 1) + ".";
  const std::unique_ptr<DIR, int (*)(DIR*)> open(::opendir(directory.c_str()), ::closedir);
  while (const dirent* entry = open ? ::readdir(open.get()) : nullptr) {
    const std::string_view name = entry->d_name;
    if (name.starts_with(front) && name.ends_with(".new"))
      ::unlink((directory + "/" + std::string(name)).c_str());
  }
}

}  // namespace

Result<void> save_counters(const MemoryCounters& counters, const std::string& path) {
  // Two of us, one of them about to end, must not write the same file.
  const std::string beside = path + "." + std::to_string(::getpid()) + ".new";
  Fd file{::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
  if (!file) return os_failure("open " + beside, errno);
  Result<void> done = write_all(file.get(), counters.encode(), "write " + beside);
  if (done) done = fsync_file(file.get(), "write " + beside);
  if (done && ::rename(beside.c_str(), path.c_str()) < 0) done = os_failure("rename " + beside, errno);
  if (!done) {
    ::unlink(beside.c_str());
    return done;
  }
  return fsync_directory(directory_of(path));
}

Result<void> load_counters(MemoryCounters& counters, const std::string& path) {
  remove_unfinished(path);
  if (::access(path.c_str(), F_OK) < 0 && errno == ENOENT) return {};
  Result<std::string> bytes = read_file(path, kFileLimitBytes);
  if (!bytes) return bytes.failure();
  Result<void> decoded = counters.decode(*bytes, now_microseconds() / 1000000);
  if (decoded) return {};
  log_warning("take over the counters of " + path, decoded.failure().text + "; all of them begin at 0");
  if (::rename(path.c_str(), (path + ".broken").c_str()) < 0) return os_failure("rename " + path, errno);
  return {};
}

}  // namespace postern
