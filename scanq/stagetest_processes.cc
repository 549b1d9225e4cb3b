#include "scanq/stagetest_processes.h"

#include <dirent.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>

#include "lib/child.h"
#include "lib/fd.h"
#include "lib/text.h"

namespace postern::stagetest {

namespace {

constexpr timespec kPause = {0, 5'000'000};
constexpr int64_t kKillMilliseconds = 2000;

bool have_children() {
  siginfo_t info{};
  return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
}

void reap_ended() {
  while (::waitpid(-1, nullptr, WNOHANG) > 0) {
  }
}

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

}  // namespace

ProcessLine parse_process(std::string_view stat) {
  // "17 (a name, with any ) in it) S 1 …"
  const size_t open = stat.find(" (");
  const size_t close = stat.rfind(") ");
  if (open == std::string_view::npos || close == std::string_view::npos) return {};
  const std::vector<std::string_view> rest = words(stat.substr(close + 2));
  const auto pid = parse_number(stat.substr(0, open));
  if (!pid || rest.size() < 2 || rest[0].size() != 1) return {};
  const auto parent = parse_number(rest[1]);
  if (!parent) return {};
  return {static_cast<pid_t>(*pid), static_cast<pid_t>(*parent), rest[0][0]};
}

std::vector<ProcessLine> all_processes() {
  std::vector<ProcessLine> processes;
  const std::unique_ptr<DIR, CloseDirectory> directory(::opendir("/proc"));
  while (const dirent* entry = directory ? ::readdir(directory.get()) : nullptr) {
    if (!parse_number(entry->d_name)) continue;
    Result<std::string> stat = read_file("/proc/" + std::string(entry->d_name) + "/stat", 4096);
    const ProcessLine line = stat ? parse_process(*stat) : ProcessLine{};
    if (line.pid > 0) processes.push_back(line);
  }
  return processes;
}

std::vector<ProcessLine> below(const std::vector<ProcessLine>& processes, pid_t ancestor) {
  std::vector<ProcessLine> found;
  std::vector<pid_t> parents = {ancestor};
  for (size_t i = 0; i < parents.size(); ++i) {
    for (const ProcessLine& process : processes) {
      if (process.parent != parents[i] || process.pid == ancestor) continue;
      found.push_back(process);
      parents.push_back(process.pid);
    }
  }
  return found;
}

void adopt_orphans() {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
}

size_t end_left_behind(int64_t grace_milliseconds) {
  int64_t deadline = now_milliseconds() + grace_milliseconds;
  for (reap_ended(); have_children() && now_milliseconds() < deadline; reap_ended())
    ::nanosleep(&kPause, nullptr);
  if (!have_children()) return 0;
  const size_t left = below(all_processes(), ::getpid()).size();
  // What another user runs by now cannot be killed: it is not waited for.
  deadline = now_milliseconds() + kKillMilliseconds;
  for (; have_children() && now_milliseconds() < deadline; reap_ended()) {
    for (const ProcessLine& process : below(all_processes(), ::getpid())) ::kill(process.pid, SIGKILL);
    ::nanosleep(&kPause, nullptr);
  }
  return left;
}

}  // namespace postern::stagetest
