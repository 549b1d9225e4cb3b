// postern-qcheck - find damage in the queue, and mend it when asked to.
//
//   usage      postern-qcheck [--repair] [DIR...]; without DIR queue/, work/ and sets/ of the instance
//   fd 1 out   a line for each finding: PATH: WHAT; would REMEDY. Last how many there were
//   env        POSTERN_HOME        user   the owner of the directory; root becomes it, once owners are right
//   exit       0 nothing is wrong, or all was mended; 100 damage was found, or is left; 111 something could
//   not be
//              checked, or is in use

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "lib/control.h"
#include "lib/fd.h"
#include "lib/log.h"
#include "lib/owner.h"
#include "lib/program.h"
#include "queue/check_owners.h"
#include "queue/check_spool.h"

namespace {

using namespace postern;

struct Command {
  bool repair = false;
  std::vector<std::string> directories;
};

Result<Command> parse_command(int argc, char** argv) {
  Command command;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--repair") {
      command.repair = true;
    } else if (word.empty() || word.starts_with('-')) {
      return permanent("usage: postern-qcheck [--repair] [DIR...]");
    } else {
      command.directories.push_back(word.size() > 1 && word.ends_with('/') ? word.substr(0, word.size() - 1)
                                                                           : word);
    }
  }
  if (command.directories.empty())
    command.directories = {home_path("queue"), home_path("work"), home_path("sets")};
  return command;
}

// The program that works the spool holds this lock while it runs, and must not run while files move. `flags`:
// O_CREAT or nothing, and then a lock that is not there is no failure.
Result<Fd> lock_spool(const std::string& directory, int flags) {
  const std::string path = directory + "/lock";
  struct stat status {};
  const bool there = ::lstat(path.c_str(), &status) == 0;
  if (there ? !S_ISREG(status.st_mode) : flags == 0) return Fd();  // no lock; perhaps a finding
  Fd lock{::open(path.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC | flags, 0600)};
  if (!lock) return os_failure("open " + path, errno);
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) < 0) {
    return temporary(path + " is held: the program that works this spool runs; stop it first (svc -d)");
  }
  return lock;
}

void sync_spool(const std::string& directory, Findings& findings) {
  const Fd top{::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!top || ::syncfs(top.get()) < 0) findings.unknown(os_failure("sync " + directory, errno));
}

int check(const std::string& directory, bool repair) {
  ::umask(077);
  Findings findings(repair);
  const auto refuse = [&](const Failure& failure) {
    log_critical("check " + directory, failure.text);
    return 111;
  };
  if (!looks_like_spool(directory)) {
    return refuse(temporary(
        "it is no spool: of tmp, new, cur and defer, with numbered directories in them, two must be there"));
  }
  Result<Fd> lock = repair ? lock_spool(directory, 0) : Fd();
  if (!lock) return refuse(lock.failure());
  check_owners(directory, findings);
  if (Result<void> became = become_owner(directory); !became) return refuse(became.failure());
  if (repair && !*lock) lock = lock_spool(directory, O_CREAT);
  if (!lock) return refuse(lock.failure());
  SpoolCheck(directory, findings).run();
  if (repair && findings.found() > 0) sync_spool(directory, findings);
  const std::string sum = directory + ": " + std::to_string(findings.found()) + " findings\n";
  if (Result<void> wrote = write_all(1, sum, "write"); !wrote) findings.unknown(wrote.failure());
  return findings.exit_code();
}

// Each in a process of its own, which becomes the directory's owner for good.
int check_apart(const std::string& directory, bool repair) {
  if (::geteuid() != 0) return check(directory, repair);
  const pid_t child = ::fork();
  if (child < 0) {
    log_critical("start a process", os_failure("fork", errno).text);
    return 111;
  }
  if (child == 0) ::_exit(check(directory, repair));
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 111;
}

int run(int argc, char** argv) {
  Result<Command> command = parse_command(argc, argv);
  if (!command) {
    log_critical("start", command.failure().text);
    return 100;
  }
  int code = 0;
  for (const std::string& directory : command->directories) {
    struct stat status {};
    if (::stat(directory.c_str(), &status) < 0 || !S_ISDIR(status.st_mode)) {
      log_critical("check " + directory,
                   errno == ENOENT ? "it is not there" : "it is no directory that can be read");
      code = 111;
      continue;
    }
    code = std::max(code, check_apart(directory, command->repair));
  }
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("postern-qcheck", {}, run, argc, argv);
}
