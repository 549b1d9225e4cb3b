// postern-passwd - add, change, remove and list the users of postern-checkpassword and SCRAM.
//
//   usage      postern-passwd [--no-scram | --scram-only] USER
//              postern-passwd --delete USER
//              postern-passwd --list
//   fd 0 in    the new password: its first line; asked twice when it is a terminal
//   fd 1 out   --list: NAME TAB what it can be checked with (plain, scram)
//   env        POSTERN_HOME
//   files      secrets/posterni/users, replaced as a whole
//   user       posterni; root becomes it
//   exit       0 done, 1 no such user, 100 usage or a password that cannot be, 111 try again

#include <fcntl.h>
#include <openssl/rand.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

#include "auth/password_hash.h"
#include "auth/prepare.h"
#include "auth/user_table.h"
#include "lib/control.h"
#include "lib/fd.h"
#include "lib/log.h"
#include "lib/owner.h"
#include "lib/program.h"
#include "lib/text.h"

namespace {

using namespace postern;
using namespace postern::auth;

constexpr std::string_view kUsage =
    "usage: postern-passwd [--no-scram | --scram-only] USER | --delete USER | --list";
constexpr size_t kLineLimitBytes = 1024;

enum class Verb { set, remove, list };

struct Command {
  Verb verb = Verb::set;
  bool plain = true;
  bool scram = true;
  std::string user;
};

std::optional<Command> parse(const std::vector<std::string>& words);
Result<Secret> ask_password();
Result<User> make_user(const Command& command, const Secret& password);
Result<void> replace_file(const std::string& path, std::string_view text);

std::optional<Command> parse(const std::vector<std::string>& words) {
  Command command;
  size_t at = 0;
  for (; at < words.size() && words[at].starts_with("--"); ++at) {
    if (words[at] == "--no-scram") {
      command.scram = false;
    } else if (words[at] == "--scram-only") {
      command.plain = false;
    } else if (words[at] == "--delete") {
      command.verb = Verb::remove;
    } else if (words[at] == "--list") {
      command.verb = Verb::list;
    } else {
      return std::nullopt;
    }
  }
  const size_t wanted = command.verb == Verb::list ? 0 : 1;
  if (words.size() - at != wanted || (!command.plain && !command.scram)) return std::nullopt;
  if (wanted == 0) return command;
  const std::optional<std::string> name = prepare_name(words[at]);
  if (!name || name->starts_with('#')) return std::nullopt;
  command.user = *name;
  return command;
}

// A terminal that does not show what is typed, as long as this lives.
class Silence {
 public:
  Silence() {
    is_terminal_ = ::tcgetattr(0, &before_) == 0;
    if (!is_terminal_) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(0, TCSAFLUSH, &quiet);
  }
  ~Silence() {
    if (is_terminal_) ::tcsetattr(0, TCSAFLUSH, &before_);
  }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;
  [[nodiscard]] bool is_terminal() const { return is_terminal_; }

 private:
  termios before_{};
  bool is_terminal_ = false;
};

// Byte by byte: what stands behind the line is not ours.
Result<Secret> read_line() {
  std::array<char, kLineLimitBytes> line;
  size_t length = 0;
  for (; length < line.size(); ++length) {
    const Result<size_t> got = read_some(0, std::span(line).subspan(length, 1), "read the password");
    if (!got) return got.failure();
    if (*got == 0 || line[length] == '\n') break;
  }
  Secret secret(std::string_view(line.data(), length));
  ::explicit_bzero(line.data(), line.size());
  return secret;
}

Result<Secret> ask_password() {
  const Silence silence;
  if (!silence.is_terminal()) return read_line();
  (void)write_all(2, "New password: ", "ask");
  Result<Secret> first = read_line();
  (void)write_all(2, "\nOnce more: ", "ask");
  Result<Secret> second = read_line();
  (void)write_all(2, "\n", "ask");
  if (!first) return first;
  if (!second) return second;
  if (first->view() != second->view()) return permanent("the two are not the same");
  return first;
}

Result<User> make_user(const Command& command, const Secret& password) {
  const std::optional<Secret> prepared = prepare_password(password.view());
  if (!prepared) return permanent("it is empty, too long, or has characters that no password may have");
  User user{.name = command.user, .hash = {}, .verifier = {}};
  if (command.plain) {
    Result<std::string> hash = hash_password(*prepared);
    if (!hash) return hash.failure();
    user.hash = *hash;
  }
  if (command.scram) {
    std::string salt(kSaltBytes, '\0');
    const bool random =
        ::RAND_bytes(reinterpret_cast<unsigned char*>(salt.data()), static_cast<int>(salt.size())) == 1;
    const std::optional<ScramVerifier> verifier =
        random ? make_verifier(prepared->view(), salt, kIterations) : std::nullopt;
    if (!verifier) return temporary("make a verifier: the library failed");
    user.verifier = verifier_text(*verifier);
  }
  return user;
}

Result<void> replace_file(const std::string& path, std::string_view text) {
  const std::string fresh = path + ".new";
  ::unlink(fresh.c_str());  // of one that was killed: we hold the lock
  const Fd file{::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600)};
  if (!file) return os_failure("make " + fresh, errno);
  if (Result<void> wrote = write_all(file.get(), text, "write " + fresh); !wrote) return wrote;
  if (Result<void> synced = fsync_file(file.get(), "sync " + fresh); !synced) return synced;
  if (::rename(fresh.c_str(), path.c_str()) < 0) return os_failure("rename " + fresh, errno);
  return fsync_directory(directory_of(path));
}

int say_failure(const std::string& doing, const Failure& failure) {
  log_critical(doing, failure.text);
  return failure.permanent() ? 100 : 111;
}

int list(const UserTable& table) {
  std::string lines;
  for (const User& user : table.users()) {
    lines += printable(user.name) + "\t" + (user.hash.empty() ? "" : "plain");
    lines += std::string(user.hash.empty() || user.verifier.empty() ? "" : ",") +
             (user.verifier.empty() ? "" : "scram") + "\n";
  }
  return write_all(1, lines, "write") ? 0 : 111;
}

int change(const Command& command) {
  std::optional<User> user;
  if (command.verb == Verb::set) {  // before the lock: somebody has to type it
    const Result<Secret> password = ask_password();
    if (!password) return say_failure("read the password", password.failure());
    Result<User> made = make_user(command, *password);
    if (!made) return say_failure("take this password", made.failure());
    user = std::move(*made);
  }
  const std::string path = users_path();
  const Fd directory{::open(directory_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (!directory || ::flock(directory.get(), LOCK_EX) < 0)
    return say_failure("lock the users", os_failure("open " + directory_of(path), errno));
  Result<UserTable> table = UserTable::read(path);
  if (!table) return say_failure("read the users", table.failure());
  if (user) {
    table->set(*user);
  } else if (!table->remove(command.user)) {
    log_critical("remove " + printable(command.user), "there is no such user");
    return 1;
  }
  const Result<void> done = replace_file(path, table->text());
  return done ? 0 : say_failure("write the users", done.failure());
}

int run(int argc, char** argv) {
  keep_memory_private();
  ::umask(077);
  const std::optional<Command> command = parse({argv + 1, argv + argc});
  if (!command) {
    log_critical("start", kUsage);
    return 100;
  }
  if (Result<void> became = become_owner(directory_of(users_path())); !became)
    return say_failure("start", became.failure());
  keep_memory_private();  // a change of the user ends it
  if (command->verb != Verb::list) return change(*command);
  const Result<UserTable> table = UserTable::read(users_path());
  return table ? list(*table) : say_failure("read the users", table.failure());
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("postern-passwd", {}, run, argc, argv);
}
