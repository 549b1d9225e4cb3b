// What unit tests of files and processes share: a directory that goes with its test, a home in it, and a
// count of our open descriptors.
#pragma once

#include <doctest/doctest.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "lib/fd.h"

// A private directory, removed with all that is in it.
class Scratch {
 public:
  Scratch() { REQUIRE(::mkdtemp(path_.data()) != nullptr); }
  ~Scratch() {
    ::nftw(
        path_.c_str(), [](const char* path, const struct stat*, int, FTW*) { return ::remove(path); }, 16,
        FTW_DEPTH | FTW_PHYS);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string path(std::string_view name) const { return path_ + "/" + std::string(name); }
  std::string write(std::string_view name, std::string_view content, mode_t mode = 0644) const {
    const postern::Fd file{::open(path(name).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)};
    REQUIRE(file);
    REQUIRE(postern::write_all(file.get(), content, "write").ok());
    return path(name);
  }
  [[nodiscard]] std::string read(std::string_view name) const {
    postern::Result<std::string> content = postern::read_file(path(name), 1 << 24);
    return content ? *content : "(no such file)";
  }

 private:
  std::string path_ = "/tmp/postern-unit.XXXXXX";
};

// A scratch directory that is $POSTERN_HOME, with control/ and run/, as long as it lives.
class ScratchHome : public Scratch {
 public:
  ScratchHome() {
    if (const char* home = ::getenv("POSTERN_HOME")) before_ = home;
    ::setenv("POSTERN_HOME", path().c_str(), 1);
    ::mkdir(path("control").c_str(), 0755);
    ::mkdir(path("run").c_str(), 0755);
  }
  ~ScratchHome() {
    before_.empty() ? ::unsetenv("POSTERN_HOME") : ::setenv("POSTERN_HOME", before_.c_str(), 1);
  }

 private:
  std::string before_;
};

// How many descriptors this process has open.
inline size_t open_descriptors() {
  size_t count = 0;
  for (int fd = 0; fd < 1024; ++fd) count += ::fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
  return count;
}

// Everything of a memory file or another small file, from its start.
inline std::string content_of(int fd) {
  postern::Result<std::string> bytes = postern::read_whole(fd, 1 << 26, "read");
  REQUIRE(bytes.ok());
  return *bytes;
}

inline postern::Fd memory_with(std::string_view bytes) {
  postern::Result<postern::Fd> file = postern::memory_file_with("test", bytes);
  REQUIRE(file.ok());
  return std::move(*file);
}
