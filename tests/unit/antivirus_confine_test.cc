#include "scanq/antivirus_confine.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <string>

using namespace postern;

namespace {

// A directory as the scanner's scratch, and one beside it.
struct Place {
  Place() {
    if (::mkdtemp(parent.data()) != nullptr) ::mkdir(scratch().c_str(), 0700);
  }
  ~Place() {
    ::rmdir(scratch().c_str());
    ::rmdir(parent.c_str());
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  [[nodiscard]] std::string scratch() const { return parent + "/scratch"; }
  std::string parent = "/tmp/postern-confine-test.XXXXXX";
};

constexpr int kDone = 0;
constexpr int kNotConfined = 90;
constexpr int kFilesOpen = 91;  // no Landlock in this kernel

// What `attempt` returns in a confined child: 0, or the errno of what was refused.
int try_confined(const Place& place, const std::function<int()>& attempt, int waker = 0) {
  const std::string scratch = place.scratch();
  const pid_t child = ::fork();
  if (child == 0) {
    const Result<Confined> confined = confine(scratch, waker);
    if (!confined) ::_exit(kNotConfined);
    if (!confined->files_open.empty()) ::_exit(kFilesOpen);
    ::_exit(attempt());
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

int error_of(long returned) {
  return returned < 0 ? errno : kDone;
}

int open_for(const std::string& path, int flags) {
  return error_of(::open(path.c_str(), flags | O_CLOEXEC, 0600));
}

}  // namespace

TEST_CASE("a confined process has no network, no programs and no rights over others") {
  const Place place;
  const int listening = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto* to = reinterpret_cast<const sockaddr*>(&address);
  CHECK(try_confined(place, [&] { return error_of(::socket(AF_INET, SOCK_STREAM, 0)); }) == EPERM);
  CHECK(try_confined(place, [&] { return error_of(::socket(AF_UNIX, SOCK_STREAM, 0)); }) == EPERM);
  CHECK(try_confined(place, [&] { return error_of(::connect(listening, to, sizeof address)); }) == EPERM);
  CHECK(try_confined(place, [&] { return error_of(::bind(listening, to, sizeof address)); }) == EPERM);
  CHECK(try_confined(place, [&] { return error_of(::listen(listening, 1)); }) == EPERM);
  CHECK(try_confined(place, [&] {
          char name[] = "true";
          char* arguments[] = {name, nullptr};
          return error_of(::execv("/bin/true", arguments));
        }) == EPERM);
  CHECK(try_confined(place, [&] { return error_of(::fork()); }) == EPERM);
  CHECK(try_confined(place, [&] { return error_of(::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr)); }) ==
        EPERM);
  CHECK(try_confined(place, [&] { return error_of(::kill(::getppid(), 0)); }) == EPERM);
  CHECK(try_confined(place, [&] { return error_of(::unshare(CLONE_NEWUSER)); }) == EPERM);
  CHECK(try_confined(place, [&] { return error_of(::syscall(SYS_io_uring_setup, 1, nullptr)); }) == EPERM);
  CHECK(try_confined(place, [&] { return error_of(::prctl(PR_SET_NAME, "x")); }) == EPERM);
  ::close(listening);
}

TEST_CASE("a confined process opens no file but in its scratch directory") {
  const Place place;
  CHECK(try_confined(place, [&] { return open_for("/etc/passwd", O_RDONLY); }) == EACCES);
  CHECK(try_confined(place, [&] { return open_for("/etc", O_RDONLY | O_DIRECTORY); }) == EACCES);
  CHECK(try_confined(place, [&] { return open_for("/proc/self/status", O_RDONLY); }) == EACCES);
  CHECK(try_confined(place, [&] { return open_for(place.parent + "/new", O_WRONLY | O_CREAT); }) == EACCES);
  CHECK(try_confined(place, [&] { return error_of(::mkdir((place.parent + "/new").c_str(), 0700)); }) ==
        EACCES);
  CHECK(try_confined(place, [&] { return error_of(::symlink("/etc", (place.scratch() + "/l").c_str())); }) ==
        EPERM);
  CHECK(try_confined(place, [&] { return error_of(::rename(place.scratch().c_str(), "/tmp/x")); }) == EPERM);
  CHECK(try_confined(place, [&] {
          const std::string directory = place.scratch() + "/d";
          const std::string file = directory + "/f";
          if (::mkdir(directory.c_str(), 0700) < 0) return errno;
          if (const int error = open_for(file, O_RDWR | O_CREAT | O_EXCL); error != 0) return error;
          if (const int error = open_for(file, O_RDONLY); error != 0) return error;
          if (::unlink(file.c_str()) < 0 || ::rmdir(directory.c_str()) < 0) return errno;
          return error_of(::memfd_create("x", MFD_CLOEXEC));
        }) == kDone);
}

TEST_CASE("a confined process may wake the one that was named, and nobody else") {
  const Place place;
  ::signal(SIGALRM, SIG_IGN);
  const int own = ::getpid();
  CHECK(try_confined(
            place, [&] { return error_of(::kill(own, SIGALRM)); }, own) == kDone);
  CHECK(try_confined(
            place, [&] { return error_of(::kill(own, SIGTERM)); }, own) == EPERM);
  CHECK(try_confined(place, [&] { return error_of(::kill(own, SIGALRM)); }) == EPERM);
  CHECK(try_confined(
            place, [&] { return error_of(::kill(1, SIGALRM)); }, own) == EPERM);
  ::signal(SIGALRM, SIG_DFL);
}

TEST_CASE("a confined process has nobody signalled by a descriptor") {
  const Place place;
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  const int fd = ends[0];
  f_owner_ex owner{F_OWNER_PID, ::getpid()};
  CHECK(try_confined(place, [&] { return error_of(::fcntl(fd, F_SETOWN, ::getppid())); }) == EPERM);
  CHECK(try_confined(place, [&] { return error_of(::fcntl(fd, F_SETOWN_EX, &owner)); }) == EPERM);
  CHECK(try_confined(place, [&] { return error_of(::fcntl(fd, F_SETSIG, SIGKILL)); }) == EPERM);
  CHECK(try_confined(place, [&] { return error_of(::fcntl(fd, F_SETFL, O_ASYNC)); }) == EPERM);
  CHECK(try_confined(place, [&] { return error_of(::fcntl(fd, F_NOTIFY, 0)); }) == EPERM);
  CHECK(try_confined(place, [&] { return error_of(::fcntl(fd, F_SETLEASE, F_RDLCK)); }) == EPERM);
  CHECK(try_confined(place, [&] {
          // With bits above those that the kernel looks at.
          return error_of(::syscall(SYS_fcntl, fd, (uint64_t{1} << 32U) | F_SETOWN, ::getppid()));
        }) == EPERM);
  int on = 1;
  CHECK(try_confined(place, [&] { return error_of(::ioctl(fd, FIOASYNC, &on)); }) == EPERM);
  CHECK(try_confined(place, [&] { return error_of(::fcntl(fd, F_SETFL, O_NONBLOCK)); }) == kDone);
  CHECK(try_confined(place, [&] {
          const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
          return copy < 0 || ::fcntl(copy, F_SETFD, 0) < 0 || ::fcntl(copy, F_GETFL) < 0 ? errno : kDone;
        }) == kDone);
  for (const int end : ends) ::close(end);
}
