#include "lib/child.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace postern {

namespace {

struct Prepared {
  std::vector<std::string> pairs;
  std::vector<char*> argv;
  std::vector<char*> envp;
  std::vector<Fd> lifted;
  std::vector<PassedFd> fds;
};

Result<Prepared> prepare(const ChildOptions& options, std::string& program) {
  Prepared ready;
  if (program.find('/') == std::string::npos) program = own_directory() + "/" + program;
  for (const std::string& argument : options.arguments)
    ready.argv.push_back(const_cast<char*>(argument.c_str()));
  ready.argv.push_back(nullptr);
  for (const auto& [name, value] : options.environment.pairs()) ready.pairs.push_back(name + "=" + value);
  for (std::string& pair : ready.pairs) ready.envp.push_back(pair.data());
  ready.envp.push_back(nullptr);
  for (const PassedFd& fd : options.fds) {
    Fd lifted{::fcntl(fd.source, F_DUPFD_CLOEXEC, kPassedNumberLimit)};
    if (!lifted) return os_failure("duplicate a descriptor", errno, 120);
    ready.fds.push_back({lifted.get(), fd.target});
    ready.lifted.push_back(std::move(lifted));
  }
  for (const int standard : {0, 1}) {
    if (std::any_of(options.fds.begin(), options.fds.end(),
                    [&](const PassedFd& fd) { return fd.target == standard; })) {
      continue;
    }
    const Fd opened{::open("/dev/null", O_RDWR | O_CLOEXEC)};
    Fd null{::fcntl(opened.get(), F_DUPFD_CLOEXEC, kPassedNumberLimit)};
    if (!null) return os_failure("open /dev/null", errno, 120);
    ready.fds.push_back({null.get(), standard});
    ready.lifted.push_back(std::move(null));
  }
  return ready;
}

// In the child, which shares our memory until exec (vfork): system calls only. Returns errno of what failed.
int become_and_exec(const char* program, const ChildOptions& options, const Prepared& ready) {
  ::setpgid(0, 0);
  // Nothing but what is named: not even what we were left with by accident.
  ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
  for (const PassedFd& fd : ready.fds) {
    if (::dup2(fd.source, fd.target) < 0) return errno;
  }
  if (options.errors_with_output && ::dup2(1, 2) < 0) return errno;
  for (const int number : options.closed) ::close(number);
  if (options.identity != nullptr) {
    // The raw calls: glibc's wrappers would look for threads to tell.
    if (::syscall(SYS_setgroups, 0, nullptr) < 0) return errno;
    if (::syscall(SYS_setgid, options.identity->gid) < 0) return errno;
    if (::syscall(SYS_setuid, options.identity->uid) < 0) return errno;
  }
  if (options.dies_with_us && ::prctl(PR_SET_PDEATHSIG, SIGKILL) < 0) return errno;
  if (options.memory_bytes) {
    rlimit memory{};
    if (::getrlimit(RLIMIT_AS, &memory) < 0) return errno;
    memory.rlim_cur = std::min<rlim_t>(*options.memory_bytes, memory.rlim_max);
    if (::setrlimit(RLIMIT_AS, &memory) < 0) return errno;
  }
  if (!options.directory.empty() && ::chdir(options.directory.c_str()) < 0) return errno;
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  for (const int number : {SIGPIPE, SIGTERM, SIGHUP, SIGALRM, SIGCHLD, SIGINT})
    ::sigaction(number, &standard, nullptr);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execve(program, ready.argv.data(), ready.envp.data());
  return errno;
}

int milliseconds_left(int64_t deadline) {
  return static_cast<int>(std::clamp<int64_t>(deadline - now_milliseconds(), 0, 1 << 30));
}

// What a pipe holds when the child has ended is read in so many; a child of its own may go on printing.
constexpr int kLastReads = 32;

// Reads what is there; false at end of file.
bool drain(int fd, ChildEnd& end, size_t limit) {
  std::array<char, 4096> buffer;
  const ssize_t got = ::read(fd, buffer.data(), buffer.size());
  if (got < 0) return errno == EINTR || errno == EAGAIN;
  if (got == 0) return false;
  const size_t room = limit - end.output.size();
  end.output_cut = end.output_cut || static_cast<size_t>(got) > room;
  end.output.append(buffer.data(), std::min(static_cast<size_t>(got), room));
  return true;
}

void reap(pid_t pid, ChildEnd& end) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status)) end.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
}

bool has_something(int fd) {
  struct pollfd wait {
    fd, POLLIN, 0
  };
  return ::poll(&wait, 1, 0) > 0;
}

// Until the child has ended or the deadline passes; what its own children print after that is not waited for.
void follow(pid_t pid, int output, int64_t deadline, size_t limit, ChildEnd& end) {
  const Fd life{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))};
  bool open = output >= 0;
  for (;;) {
    std::array<pollfd, 2> waits = {{{life.get(), POLLIN, 0}, {open ? output : -1, POLLIN, 0}}};
    const int ready = ::poll(waits.data(), waits.size(), milliseconds_left(deadline));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) {
      end.timed_out = true;
      ::kill(-pid, SIGKILL);
      ::kill(pid, SIGKILL);
      return;
    }
    if (waits[0].revents != 0) {
      for (int i = 0; i < kLastReads && open && has_something(output); ++i) open = drain(output, end, limit);
      return;
    }
    open = drain(output, end, limit);
  }
}

}  // namespace

int64_t now_milliseconds() {
  struct timespec now {};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1000000;
}

std::string own_directory() {
  std::array<char, 4096> path{};
  const ssize_t length = ::readlink("/proc/self/exe", path.data(), path.size());
  const std::string_view whole(path.data(), length > 0 ? static_cast<size_t>(length) : 0);
  const size_t slash = whole.rfind('/');
  return slash == std::string_view::npos ? std::string(".") : std::string(whole.substr(0, slash));
}

Result<pid_t> start_child(const ChildOptions& options) {
  if (options.arguments.empty()) return temporary("start a program: none is named", 120);
  std::string program = options.arguments.front();
  Result<Prepared> ready = prepare(options, program);
  if (!ready) return ready.failure();
  volatile int error = 0;
  const pid_t pid = ::vfork();
  if (pid == 0) {
    error = become_and_exec(program.c_str(), options, *ready);
    ::_exit(120);
  }
  if (pid < 0) return os_failure("start " + program, errno, 120);
  if (error != 0) {
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    return os_failure("execute " + program, error, 120);
  }
  return pid;
}

Result<ChildEnd> run_child(ChildOptions options, int64_t deadline_milliseconds, size_t output_limit) {
  ChildEnd end;
  Fd output;
  Fd input_end;
  const bool capture =
      std::none_of(options.fds.begin(), options.fds.end(), [](const PassedFd& fd) { return fd.target == 1; });
  if (capture) {
    std::array<int, 2> pipe_ends{};
    if (::pipe2(pipe_ends.data(), O_CLOEXEC) < 0) return os_failure("make a pipe", errno);
    output.reset(pipe_ends[0]);
    input_end.reset(pipe_ends[1]);
    options.fds.push_back({input_end.get(), 1});
  }
  Result<pid_t> pid = start_child(options);
  if (!pid) return pid.failure();
  input_end.reset();
  follow(*pid, output.get(), deadline_milliseconds, output_limit, end);
  reap(*pid, end);
  return end;
}

}  // namespace postern
