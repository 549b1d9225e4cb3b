// A scratch directory with everything in it that a stage could leave something in, watched for changes.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace postern::stagetest {

class WatchedDirectory {
 public:
  // DIR/home (with the control files of POSTERN_HOME, and run/ as a link to its own), DIR/user, DIR/tmp and
  // DIR/work, each with a file in it.
  WatchedDirectory();
  ~WatchedDirectory();
  WatchedDirectory(const WatchedDirectory&) = delete;
  WatchedDirectory& operator=(const WatchedDirectory&) = delete;

  // Empty: it could be made.
  [[nodiscard]] const std::string& failure() const { return failure_; }
  [[nodiscard]] std::string path(std::string_view name) const { return path_ + "/" + std::string(name); }
  // The variables that lead a process there.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> settings() const;

  // What is in it: names, and for files mode, time and content. changes() is what differs from then, "new:
  // PATH", "gone: PATH" or "changed: PATH"; empty: nothing.
  using Content = std::map<std::string, std::string>;
  [[nodiscard]] Content content() const;

 private:
  void fill();
  std::string path_;
  std::string failure_;
};

std::string first_change(const WatchedDirectory::Content& before, const WatchedDirectory::Content& after);

}  // namespace postern::stagetest
