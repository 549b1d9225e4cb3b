#include "remote/destination_file.h"

#include <sys/stat.h>

#include <cerrno>

#include "lib/fd.h"

namespace postern {

namespace {
constexpr size_t kFileLimitBytes = 16 * 1024 * 1024;
}

Result<Destination> DestinationFile::find(std::string_view domain) {
  struct stat status {};
  if (::stat(path_.c_str(), &status) < 0) {
    if (errno != ENOENT) return os_failure("look at " + path_, errno, 55);
    loaded_ = false;
    return Destination{};
  }
  const int64_t changed = static_cast<int64_t>(status.st_mtim.tv_sec) * 1000000000 + status.st_mtim.tv_nsec;
  if (!loaded_ || changed != changed_nanoseconds_ || status.st_size != size_bytes_) {
    Result<std::string> text = read_file(path_, kFileLimitBytes);
    if (!text) return text.failure();
    Result<Destinations> table = Destinations::parse(*text, path_);
    if (!table) return table.failure();
    table_ = std::move(*table);
    loaded_ = true;
    changed_nanoseconds_ = changed;
    size_bytes_ = status.st_size;
  }
  return table_.of(domain);
}

}  // namespace postern
