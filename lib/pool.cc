#include "lib/pool.h"

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

#include "lib/child.h"
#include "lib/log.h"
#include "lib/pause.h"
#include "lib/signals.h"

namespace postern {

namespace {

constexpr int64_t kQuickDeathMilliseconds = 1000;  // a worker that dies younger is replaced only after a wait
constexpr int64_t kLongestBackOffMilliseconds = 10000;

struct Worker {
  pid_t pid;
  int64_t started;  // milliseconds
  bool old = false;
};

class Pool {
 public:
  explicit Pool(const PoolOptions& options) : options_(options) {}

  void fill() {
    if (!pause_.over()) return;
    size_t young = static_cast<size_t>(
        std::count_if(workers_.begin(), workers_.end(), [](const Worker& w) { return !w.old; }));
    for (; young < options_.workers && start(); ++young) {
    }
  }

  void reap() {
    int status = 0;
    for (pid_t pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
      const auto found =
          std::find_if(workers_.begin(), workers_.end(), [&](const Worker& w) { return w.pid == pid; });
      if (found == workers_.end()) continue;
      const bool crashed = !WIFEXITED(status) || WEXITSTATUS(status) != 0;
      if (crashed && asked.stop == 0) note_crash(*found, status);
      workers_.erase(found);
    }
  }

  void retire_all() {
    for (Worker& worker : workers_) worker.old = true;
  }
  void end_old() {
    for (const Worker& worker : workers_) {
      if (worker.old) ::kill(worker.pid, SIGTERM);
    }
  }
  [[nodiscard]] bool empty() const { return workers_.empty(); }
  // How long the parent may sleep, milliseconds; -1: until a signal.
  [[nodiscard]] int64_t wait() const { return pause_.wait(); }

 private:
  bool start() {
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid == 0) {
      sigset_t none;
      ::sigemptyset(&none);
      ::sigprocmask(SIG_SETMASK, &none, nullptr);
      options_.work(parent);
      ::_exit(0);
    }
    if (pid < 0) {
      log_warning("start a worker", os_failure("fork", errno));
      back_off();
      return false;
    }
    workers_.push_back({pid, now_milliseconds()});
    return true;
  }

  void note_crash(const Worker& worker, int status) {
    log_warning("keep a worker", WIFSIGNALED(status) ? "killed by signal " + std::to_string(WTERMSIG(status))
                                                     : "exit code " + std::to_string(WEXITSTATUS(status)));
    if (now_milliseconds() - worker.started < kQuickDeathMilliseconds) {
      back_off();
    } else {
      wait_ = 0;
    }
  }

  void back_off() {
    wait_ = std::clamp<int64_t>(2 * wait_, 100, kLongestBackOffMilliseconds);
    pause_.begin(wait_);
  }

  const PoolOptions& options_;
  std::vector<Worker> workers_;
  int64_t wait_ = 0;
  Pause pause_;
};

}  // namespace

int run_pool(const PoolOptions& options) {
  const sigset_t while_waiting = catch_signals({SIGTERM, SIGINT, SIGHUP, SIGCHLD});
  Pool pool(options);
  while (asked.stop == 0) {
    if (asked.reload != 0) {
      asked.reload = 0;
      if (!options.reload || options.reload()) pool.retire_all();
    }
    int64_t wait = options.tick ? options.tick() : -1;
    pool.fill();
    pool.end_old();
    if (const int64_t fill = pool.wait(); fill >= 0) wait = wait < 0 ? fill : std::min(wait, fill);
    const timespec timeout{wait / 1000, (wait % 1000) * 1000000};
    ::ppoll(nullptr, 0, wait < 0 ? nullptr : &timeout, &while_waiting);
    pool.reap();
  }
  pool.retire_all();
  pool.end_old();
  while (!options.leaves_workers && !pool.empty()) {
    ::ppoll(nullptr, 0, nullptr, &while_waiting);
    pool.reap();
  }
  return 0;
}

}  // namespace postern
