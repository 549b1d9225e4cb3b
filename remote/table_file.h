// A table of control/ that is read again when its file has changed, so that each attempt goes by what it says
// now.
#pragma once

#include <fcntl.h>

#include <cerrno>
#include <string>
#include <utility>

#include "lib/fd.h"
#include "lib/result.h"
#include "lib/watched_file.h"

namespace postern {

template <typename Table>
class TableFile {
 public:
  explicit TableFile(std::string path) : file_(std::move(path)) {}

  // Until the next call; empty where there is no file. A failure where any line is wrong.
  Result<const Table*> current() {
    if (!file_.changed() && loaded_) return &table_;
    loaded_ = false;
    const Fd file{::open(file_.path().c_str(), O_RDONLY | O_CLOEXEC)};
    if (!file && errno != ENOENT) return os_failure("open " + file_.path(), errno, 55);
    table_ = Table();
    if (file) {
      Result<std::string> text = read_to_end(file.get(), kFileLimitBytes, "read " + file_.path());
      if (!text) return text.failure();
      Result<Table> table = Table::parse(*text, file_.path());
      if (!table) return table.failure();
      table_ = std::move(*table);
    }
    loaded_ = true;
    return &table_;
  }

 private:
  static constexpr size_t kFileLimitBytes = 16 * 1024 * 1024;

  WatchedFile file_;
  Table table_;
  bool loaded_ = false;  // while it is not, each call reads it again
};

}  // namespace postern
