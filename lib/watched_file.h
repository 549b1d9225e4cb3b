// Has a file changed since it was last looked at? By what stat(2) says; a file that is missing is a state
// like any other.
#pragma once

#include <cstdint>
#include <string>

namespace postern {

class WatchedFile {
 public:
  explicit WatchedFile(std::string path) : path_(std::move(path)) {}
  // True the first time too.
  bool changed();
  // As of the last look.
  [[nodiscard]] bool exists() const { return seen_.exists; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  struct Seen {
    bool looked = false;
    bool exists = false;
    uint64_t inode = 0;
    int64_t size = 0;
    int64_t seconds = 0;
    int64_t nanoseconds = 0;
    bool operator==(const Seen&) const = default;
  };
  std::string path_;
  Seen seen_;
};

}  // namespace postern
