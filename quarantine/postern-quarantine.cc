// postern-quarantine - holds messages back, shows them, lets them go.
//
//   put NAME REASON [NAME REASON]…   fd 0 the message, fd 3 its envelope (Joint 2), fd 5 extras with
//                                    POSTERN_EXTRAS=5
//   list, show, release, delete, move, audit, check   what operators do (quarantine_verbs.h)
//   --keep            resident without a socket: does what is due (quarantine_keeper.h)
//   fd 1 out          what a verb prints
//   fd 4 out          resident form only: where list and show write, for a reply is 64 KiB at most
//   env               POSTERN_MID, POSTERN_HOLD_UNTIL and what is kept with the message; POSTERN_RELEASE_TO,
//                     POSTERN_QUEUE
//   exit              put: as the queue interface; the others: 0 done, 100 never, 111 try again
//   user              posterno; the resident answers `put` to its clients, all else but release to its own
//                     user and --operators alone

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

#include "lib/call.h"
#include "lib/control.h"
#include "lib/log.h"
#include "lib/owner.h"
#include "lib/program.h"
#include "lib/serve.h"
#include "lib/submit.h"
#include "lib/text.h"
#include "quarantine/quarantine_keeper.h"
#include "quarantine/quarantine_put.h"
#include "quarantine/quarantine_store.h"
#include "quarantine/quarantine_verbs.h"

namespace postern::quarantine {

namespace {

constexpr int64_t kCallMilliseconds = 120 * 1000;
constexpr unsigned kPathDeadlineSeconds = 3600;

// Who asked, for the audit: the user, and whom sudo(8) has made root.
std::string caller(uid_t uid, const std::string& sudo_user) {
  return "uid " + std::to_string(uid) +
         (sudo_user.empty() ? "" : " (sudo user " + printable(sudo_user, 64) + ")");
}

// One request of either form.
class Quarantine {
 public:
  Quarantine(std::vector<uid_t> operators, std::string who)
      : operators_(std::move(operators)), who_(std::move(who)), store_(home_directory()) {}

  int answer(Job& job, std::string& output) {
    const std::string verb = job.arguments.empty() ? "" : job.arguments[0];
    if (job.connection < 0) ::alarm(kPathDeadlineSeconds);
    if (verb == "put") return put_message(store_, job);
    std::string who = who_;
    if (job.connection >= 0) {
      const std::optional<uid_t> peer = peer_of(job.connection);
      if (!peer || !is_operator(*peer)) {
        log_warning("answer a request",
                    "only the store's owner may " + printable(verb, 40) + "; others may put");
        return 100;
      }
      who = caller(*peer, "");
    }
    Answer answer(job.connection < 0 ? 1 : job.fd(4), output);
    return carry_out(store_, job, answer, who);
  }

 private:
  static std::optional<uid_t> peer_of(int connection) {
    ucred peer{};
    socklen_t length = sizeof peer;
    if (::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0) return std::nullopt;
    return peer.uid;
  }
  [[nodiscard]] bool is_operator(uid_t uid) const {
    return uid == ::geteuid() || std::find(operators_.begin(), operators_.end(), uid) != operators_.end();
  }

  std::vector<uid_t> operators_;
  std::string who_;
  QuarantineStore store_;
};

// Not the store's owner: asks the resident.
int ask_resident(const std::vector<std::string>& words) {
  const std::string verb = words.empty() ? "" : words[0];
  const bool is_put = verb == "put";
  Request request{.arguments = words, .environment = joint_variables(Environment::of_process()), .fds = {}};
  Fd answer;
  if (is_put) {
    const bool has_extras = request.environment.get_or("POSTERN_EXTRAS", "") == "5";
    for (const int number : {0, 3, 5}) {
      if ((number != 5 || has_extras) && ::fcntl(number, F_GETFD) >= 0)
        request.fds.push_back({number, number});
    }
  } else if (verb == "list" || verb == "show" || verb == "check" || verb == "audit") {
    Result<Fd> made = memory_file("answer");
    if (!made) {
      log_warning(verb + " messages", made.failure());
      return 111;
    }
    answer = std::move(*made);
    request.fds.push_back({answer.get(), 4});
  }
  Result<Reply> reply = call_program("@quarantine", request, now_milliseconds() + kCallMilliseconds);
  if (!reply) {
    log_warning("ask the quarantine",
                reply.failure().text + "; only root and the store's owner do without its service");
    return is_put ? (reply.failure().exit_code != 0 ? reply.failure().exit_code : 56) : 111;
  }
  if (reply->exit_code != 0 && !is_put) {
    log_warning(verb.empty() ? "do nothing" : printable(verb, 40), "the quarantine's service says " +
                                                                       std::to_string(reply->exit_code) +
                                                                       ": see its log, or run this as root");
  }
  if (!reply->output.empty() && !write_all(1, reply->output, "write the answer")) return 111;
  Result<size_t> size = answer ? file_size(answer.get(), "read the answer") : Result<size_t>(size_t{0});
  if (!size || !copy_range(answer.get(), 0, *size, 1, "write the answer")) return 111;
  return reply->exit_code;
}

// --operators UID,UID: taken off, for run_forms() does not know it.
Result<std::vector<uid_t>> take_operators(std::vector<char*>& arguments) {
  std::vector<uid_t> operators;
  const auto option = std::find_if(arguments.begin(), arguments.end(),
                                   [](const char* word) { return std::string_view(word) == "--operators"; });
  if (option == arguments.end() || std::find_if(arguments.begin(), option, [](const char* word) {
                                     return std::string_view(word) == "--serve";
                                   }) == option) {
    return operators;
  }
  if (option + 1 == arguments.end()) return permanent("--operators needs a value");
  for (const std::string_view part : split(*(option + 1), ',')) {
    const std::optional<uint64_t> number = parse_number(part);
    if (!number) return permanent("--operators takes numbers of users, not \"" + printable(part, 40) + "\"");
    operators.push_back(static_cast<uid_t>(*number));
  }
  arguments.erase(option, option + 2);
  return operators;
}

// The index's directory, made by root for the store's owner where postern-init has not been run since there
// is an index.
Result<void> make_index_directory(const Identity& owner) {
  const std::string path = home_path("db/quarantine");
  const std::string databases = home_path("db");
  if (::mkdir(databases.c_str(), 0755) == 0 ? ::chmod(databases.c_str(), 0755) < 0 : errno != EEXIST)
    return os_failure("make " + databases, errno, 61);
  if (::mkdir(path.c_str(), 0700) < 0) {
    if (errno == EEXIST) return {};
    return os_failure("make " + path, errno, 61);
  }
  if (::chown(path.c_str(), owner.uid, owner.gid) < 0) return os_failure("give away " + path, errno, 61);
  return {};
}

// Root becomes the store's owner, so that nothing in it ever belongs to root. True: this user may write the
// store.
Result<bool> become_owner() {
  const std::string store = home_path("quarantine");
  struct stat status {};
  const int looked = ::stat(store.c_str(), &status);
  if (looked < 0 && errno == ENOENT) {
    return temporary(
        store + " does not exist; postern-init makes it, or make it as the user who is to own it", 61);
  }
  if (looked == 0) {
    const Identity owner{status.st_uid, status.st_gid};
    if (::geteuid() == 0) {
      if (Result<void> made = make_index_directory(owner); !made) return made.failure();
    }
    if (Result<void> became = become(owner); !became) return became.failure();
  }
  return ::faccessat(AT_FDCWD, store.c_str(), R_OK | W_OK | X_OK, AT_EACCESS) == 0;
}

int run(int argc, char** argv) {
  ::umask(077);
  std::vector<char*> arguments(argv, argv + argc);
  const std::vector<std::string> words(argv + 1, argv + argc);
  const uid_t uid = ::getuid();
  Result<std::vector<uid_t>> operators = take_operators(arguments);
  if (!operators) return wrong_usage(operators.failure().text);
  Result<bool> owner = become_owner();
  if (!owner) {
    log_critical("use the quarantine", owner.failure().text);
    return !words.empty() && words[0] == "put" ? queue_exit_code(owner.failure()) : 111;
  }
  const bool serves = !words.empty() && words[0] == "--serve";
  if (!*owner && words.size() == 1 && words[0] == "--keep") {
    log_critical("keep the quarantine", "only the store's owner may");
    return 100;
  }
  if (!*owner && !serves) return ask_resident(words);
  if (words.size() == 1 && words[0] == "--keep") {
    QuarantineStore store(home_directory());
    return keep(store);
  }
  // SUDO_USER says something only where root has been made of somebody.
  const std::string sudo_user = uid == 0 ? Environment::of_process().get_or("SUDO_USER", "") : "";
  Quarantine quarantine(std::move(*operators), caller(uid, sudo_user));
  Forms forms;
  forms.defaults.workers = 2;
  forms.path_fds = {0, 3, 5};
  return run_forms(static_cast<int>(arguments.size()), arguments.data(), forms,
                   [&](Job& job, std::string& output) { return quarantine.answer(job, output); });
}

}  // namespace

}  // namespace postern::quarantine

int main(int argc, char** argv) {
  return postern::run_program("postern-quarantine", {.no_memory = 111, .bug = 111}, postern::quarantine::run,
                              argc, argv);
}
