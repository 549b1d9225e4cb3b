// The directory for what libclamav unpacks: one a process, for nobody else to read, under TMPDIR
// (without it under /dev/shm where there is room, else /tmp). A process
// that was killed leaves its own behind, so whoever makes one removes those whose process is gone.
#pragma once

#include <string>
#include <utility>

#include "lib/result.h"

namespace postern {

class Scratch {
 public:
  Scratch() = default;
  static Result<Scratch> make();
  Scratch(Scratch&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  Scratch& operator=(Scratch&& other) noexcept {
    std::swap(path_, other.path_);
    return *this;
  }
  ~Scratch();
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Removes the scratch directories of our user under `parent` whose process has ended.
void sweep_scratch(const std::string& parent);

}  // namespace postern
