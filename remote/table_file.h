// A table of control/ that is read again when its file has changed, so that each attempt goes by what it says
// now.
#pragma once

#include <sys/stat.h>

#include <cerrno>
#include <cstdint>
#include <string>

#include "lib/fd.h"
#include "lib/result.h"

namespace postern {

template <typename Table>
class TableFile {
 public:
  explicit TableFile(std::string path) : path_(std::move(path)) {}

  // Until the next call; empty where there is no file. A failure where any line is wrong.
  Result<const Table*> current() {
    struct stat status {};
    if (::stat(path_.c_str(), &status) < 0) {
      if (errno != ENOENT) return os_failure("look at " + path_, errno, 55);
      table_ = Table();
      loaded_ = false;
      return &table_;
    }
    const int64_t changed = static_cast<int64_t>(status.st_mtim.tv_sec) * 1000000000 + status.st_mtim.tv_nsec;
    if (loaded_ && changed == changed_nanoseconds_ && status.st_size == size_bytes_ &&
        status.st_ino == inode_)
      return &table_;
    Result<std::string> text = read_file(path_, kFileLimitBytes);
    if (!text) return text.failure();
    Result<Table> table = Table::parse(*text, path_);
    if (!table) return table.failure();
    table_ = std::move(*table);
    loaded_ = true;
    changed_nanoseconds_ = changed;
    size_bytes_ = status.st_size;
    inode_ = status.st_ino;
    return &table_;
  }

 private:
  static constexpr size_t kFileLimitBytes = 16 * 1024 * 1024;

  std::string path_;
  Table table_;
  bool loaded_ = false;
  int64_t changed_nanoseconds_ = 0;
  int64_t size_bytes_ = 0;
  ino_t inode_ = 0;
};

}  // namespace postern
