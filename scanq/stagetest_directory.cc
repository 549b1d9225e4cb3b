#include "scanq/stagetest_directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <memory>

#include "lib/control.h"
#include "lib/fd.h"
#include "lib/result.h"

namespace postern::stagetest {

namespace {

constexpr size_t kFileLimitBytes = size_t{64} * 1024 * 1024;
constexpr int kDepthLimit = 16;

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

std::vector<std::string> names_in(const std::string& path) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, CloseDirectory> directory(::opendir(path.c_str()));
  while (const dirent* entry = directory ? ::readdir(directory.get()) : nullptr) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  return names;
}

bool write_file(const std::string& path, std::string_view content) {
  const Fd file{::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644)};
  return file && write_all(file.get(), content, "write a file").ok();
}

// What is there of a kind that makes no difference to a stage that reads it; the rest is left out.
void copy_tree(const std::string& from, const std::string& to, int depth) {
  ::mkdir(to.c_str(), 0755);
  for (const std::string& name : names_in(from)) {
    struct stat status {};
    const std::string source = from + "/" + name;
    if (::stat(source.c_str(), &status) < 0) continue;
    if (S_ISDIR(status.st_mode) && depth < kDepthLimit) copy_tree(source, to + "/" + name, depth + 1);
    if (!S_ISREG(status.st_mode)) continue;
    if (Result<std::string> content = read_file(source, kFileLimitBytes); content)
      write_file(to + "/" + name, *content);
  }
}

void look(const std::string& root, const std::string& below, int depth, WatchedDirectory::Content& content) {
  for (const std::string& name : names_in(root + below)) {
    const std::string relative = below + "/" + name;
    struct stat status {};
    if (::lstat((root + relative).c_str(), &status) < 0) continue;
    std::string what = std::to_string(status.st_mode);
    if (S_ISREG(status.st_mode)) {
      what += " " + std::to_string(status.st_size) + " " + std::to_string(status.st_mtim.tv_sec) + " " +
              std::to_string(status.st_mtim.tv_nsec) + " ";
      Result<std::string> bytes = read_file(root + relative, kFileLimitBytes);
      what += bytes ? *bytes : "unreadable";
    }
    content[relative.substr(1)] = std::move(what);
    if (S_ISDIR(status.st_mode) && depth < kDepthLimit) look(root, relative, depth + 1, content);
  }
}

}  // namespace

WatchedDirectory::WatchedDirectory() {
  const char* parent = ::getenv("TMPDIR");
  path_ = std::string(parent != nullptr ? parent : "/tmp") + "/postern-stagetest.XXXXXX";
  if (::mkdtemp(path_.data()) == nullptr) {
    failure_ = os_failure("make a directory like " + path_, errno).text;
    path_.clear();
    return;
  }
  ::chmod(path_.c_str(), 0755);
  fill();
}

void WatchedDirectory::fill() {
  for (const std::string_view name : {"home", "user", "tmp", "work"}) {
    if (::mkdir(path(name).c_str(), 0755) < 0 || !write_file(path(name) + "/state", "0\n"))
      failure_ = os_failure("fill " + path(name), errno).text;
  }
  copy_tree(home_path("control"), path("home/control"), 0);
  const int linked = ::symlink(home_path("run").c_str(), path("home/run").c_str());
  if (linked < 0) failure_ = os_failure("fill " + path("home"), errno).text;
}

WatchedDirectory::~WatchedDirectory() {
  if (path_.empty()) return;
  ::nftw(
      path_.c_str(), [](const char* path, const struct stat*, int, FTW*) { return ::remove(path); },
      kDepthLimit, FTW_DEPTH | FTW_PHYS);
}

std::vector<std::pair<std::string, std::string>> WatchedDirectory::settings() const {
  return {
      {"POSTERN_HOME", path("home")}, {"HOME", path("user")}, {"TMPDIR", path("tmp")}, {"PWD", path("work")}};
}

WatchedDirectory::Content WatchedDirectory::content() const {
  Content content;
  look(path_, "", 0, content);
  return content;
}

std::string first_change(const WatchedDirectory::Content& before, const WatchedDirectory::Content& after) {
  for (const auto& [name, what] : after) {
    const auto was = before.find(name);
    if (was == before.end()) return "new: " + name;
    if (was->second != what) return "changed: " + name;
  }
  for (const auto& [name, what] : before) {
    if (!after.contains(name)) return "gone: " + name;
  }
  return {};
}

}  // namespace postern::stagetest
