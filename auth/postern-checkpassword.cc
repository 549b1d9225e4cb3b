// postern-checkpassword - is it the password of a user in our own table? (The checkpassword interface.)
//
//   usage      postern-checkpassword PROGRAM [ARGUMENT]...
//   fd 3 in    USER NUL PASSWORD NUL TIMESTAMP NUL
//   env        POSTERN_HOME; USER is set for PROGRAM
//   files      secrets/posterni/users
//   user       posterni
//   exit       1 it is not, 2 misused, 111 try again; else what PROGRAM exits with

#include <stdlib.h>
#include <unistd.h>

#include "auth/password_hash.h"
#include "auth/prepare.h"
#include "auth/user_table.h"
#include "lib/log.h"
#include "lib/program.h"
#include "lib/text.h"

namespace {

using namespace postern;
using namespace postern::auth;

constexpr int kCredentialsFd = 3;
constexpr size_t kCredentialsLimitBytes = 1024;
constexpr int kNo = 1;
constexpr int kMisused = 2;
constexpr int kTryAgain = 111;

// Hashes once for whoever asks: who does not exist is tried against the hash of one who does, so that it
// takes as long, and the answer is no.
bool is_right(const UserTable& table, const std::string& name, const std::string_view password) {
  const auto has_hash = [](const User& user) { return !user.hash.empty(); };
  const User* user = table.find(name);
  const User* other = table.stand_in(name, has_hash);
  const bool known = user != nullptr && !user->hash.empty();
  const std::string& hash = known ? user->hash : other != nullptr ? other->hash : kNobodysHash;
  const std::optional<Secret> prepared = prepare_password(password);
  const Secret nothing("?");
  const bool matches = password_matches(prepared ? *prepared : nothing, hash);
  return matches && known && prepared.has_value();
}

int run(int argc, char** argv) {
  keep_memory_private();
  if (argc < 2) {
    log_critical("start", "usage: postern-checkpassword PROGRAM [ARGUMENT]...");
    return kMisused;
  }
  Result<Secret> told = read_secret(kCredentialsFd, kCredentialsLimitBytes, "read descriptor 3");
  if (!told) {
    log_critical("start", told.failure().text);
    return kMisused;
  }
  ::close(kCredentialsFd);
  const std::vector<std::string_view> parts = split(told->view(), '\0');
  if (parts.size() < 3) return kMisused;
  const std::optional<std::string> name = prepare_name(parts[0]);
  const Result<UserTable> table = UserTable::read(users_path());
  if (!table) {
    log_critical("read the users", table.failure().text);
    return kTryAgain;
  }
  if (!is_right(*table, name.value_or("?"), parts[1]) || !name) return kNo;
  told->forget();
  ::setenv("USER", name->c_str(), 1);
  ::execvp(argv[1], argv + 1);
  log_critical("start " + std::string(argv[1]), os_failure("execute", errno).text);
  return kTryAgain;
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("postern-checkpassword", {.no_memory = 111, .bug = 111}, run, argc, argv);
}
