// postern-quarantine - holds messages back, shows them, lets them go.
//
//   put NAME REASON   fd 0 the message, fd 3 its envelope (Joint 2), fd 5 extras with POSTERN_EXTRAS=5
//   list [NAME]       one line a message on fd 1 (quarantine_list.h)
//   show MID          the message on fd 1
//   release MID…      back into the chain under a new mid          delete MID…      for ever
//   fd 4 out          resident form only: where list and show write, for a reply is 64 KiB at most
//   env               POSTERN_MID and what is kept with the message; POSTERN_RELEASE_TO, POSTERN_QUEUE
//   exit              put: as the queue interface; the others: 0 done, 100 never, 111 try again     user
//   posterno resident          answers `put` to its clients, list, show and delete to its own user and
//   --operators alone

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

#include "lib/bind.h"
#include "lib/call.h"
#include "lib/control.h"
#include "lib/log.h"
#include "lib/mid.h"
#include "lib/program.h"
#include "lib/serve.h"
#include "lib/submit.h"
#include "lib/text.h"
#include "quarantine/quarantine_list.h"
#include "quarantine/quarantine_release.h"
#include "quarantine/quarantine_store.h"

namespace postern {

namespace {

constexpr std::string_view kUsage =
    "usage: postern-quarantine put NAME REASON | list [NAME] | show MID | release MID... | delete MID...";
constexpr size_t kHeaderLimitBytes = 64 * 1024;  // where the subject is looked for
constexpr size_t kChunkBytes = 64 * 1024;
constexpr int64_t kCallMilliseconds = 120 * 1000;
constexpr unsigned kPathDeadlineSeconds = 3600;

// Where list and show write: descriptor 1 or the one passed as 4; without it into the reply.
class Answer {
 public:
  Answer(int fd, std::string& reply) : fd_(fd), reply_(reply) {}
  Result<void> write(std::string_view bytes) {
    if (fd_ >= 0) return write_all(fd_, bytes, "write the answer");
    reply_.append(bytes);
    return {};
  }
  Result<void> copy(int from, size_t length) {
    if (fd_ >= 0) return copy_range(from, 0, length, fd_, "write the message");
    if (length > kReplyLimitBytes) return permanent("the message is over 64 KiB: pass descriptor 4 for it");
    Result<std::string> bytes = pread_string(from, 0, length, "read the message");
    if (!bytes) return bytes.failure();
    return write(*bytes);
  }

 private:
  int fd_;
  std::string& reply_;
};

int general_exit_code(const Failure& failure) {
  return failure.permanent() ? 100 : 111;
}

int wrong_usage(std::string_view what) {
  log_critical("start", std::string(what) + "; " + std::string(kUsage));
  return 100;
}

// One request of either form.
class Quarantine {
 public:
  explicit Quarantine(std::vector<uid_t> operators)
      : operators_(std::move(operators)), store_(home_path("quarantine")) {}

  int answer(Job& job, std::string& output) {
    const std::vector<std::string>& words = job.arguments;
    const std::string verb = words.empty() ? "" : words[0];
    if (job.connection < 0) ::alarm(kPathDeadlineSeconds);
    if (verb == "put") return put(job);
    if (job.connection >= 0 && !is_operator(job.connection)) {
      log_warning("answer a request",
                  "only the store's owner may " + printable(verb, 40) + "; others may put");
      return 100;
    }
    Answer answer(job.connection < 0 ? 1 : job.fd(4), output);
    if (verb == "list") return list(words, answer);
    if (verb == "show") return show(words, answer);
    if (verb == "delete") return for_each_mid(words, "delete", [&](uint64_t mid) { return erase(mid); });
    if (verb == "release") return release(job, answer);
    return wrong_usage(verb.empty() ? "say what to do" : "there is no verb \"" + printable(verb, 40) + "\"");
  }

 private:
  [[nodiscard]] bool is_operator(int connection) const {
    ucred peer{};
    socklen_t length = sizeof peer;
    if (::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0) return false;
    return peer.uid == ::geteuid() ||
           std::find(operators_.begin(), operators_.end(), peer.uid) != operators_.end();
  }

  int put(Job& job) {
    const std::vector<std::string>& words = job.arguments;
    if (words.size() != 3) return wrong_usage("put takes a quarantine's name and a reason");
    const std::string& name = words[1];
    if (!valid_quarantine_name(name)) {
      return wrong_usage("\"" + printable(name, 80) +
                         "\" is no quarantine's name: letters, digits, blanks, - and _, at most 64");
    }
    Result<Envelope> envelope = read_envelope(job);
    if (!envelope) return put_failed(envelope.failure());
    const uint64_t wanted = parse_mid(job.environment.get_or("POSTERN_MID", "")).value_or(0);
    const Result<bool> before = store_.put_before(name, wanted, job.environment, *envelope);
    if (!before) return put_failed(before.failure());
    if (*before) return 0;
    Result<uint64_t> mid =
        store_.put(name, job.fd(0), *envelope, held_variables(job.environment, name, words[2]), wanted,
                   [&] { return !job.client_gone(); });
    if (!mid) return put_failed(mid.failure());
    LogLines lines;
    const uint64_t known = wanted != 0 ? wanted : *mid;
    lines.info("MID " + std::to_string(known) + " quarantined to \"" + name + "\" (" +
               printable(words[2], kReasonLimit) + ")");
    if (known != *mid) {
      lines.info("MID " + std::to_string(known) + " rewritten to " + std::to_string(*mid) +
                 " by quarantine \"" + name + "\"");
    }
    return 0;
  }

  static int put_failed(const Failure& failure) {
    log_warning("put a message into quarantine", failure);
    return queue_exit_code(failure);
  }

  static Result<Envelope> read_envelope(Job& job) {
    if (job.fd(0) < 0) return temporary("there is no message on descriptor 0", 54);
    if (job.fd(3) < 0) return temporary("there is no envelope on descriptor 3", 91);
    Result<std::string> bytes = read_whole(job.fd(3), kEnvelopeLimitBytes, "read the envelope");
    if (!bytes) return temporary(bytes.failure().text, 54);
    Result<Envelope> envelope = parse_envelope(*bytes);
    if (!envelope || job.environment.get_or("POSTERN_EXTRAS", "") != "5") return envelope;
    if (job.fd(5) < 0) return temporary("POSTERN_EXTRAS promises descriptor 5, which is not open", 91);
    Result<std::string> extras = read_whole(job.fd(5), kEnvelopeLimitBytes, "read the envelope's extras");
    if (!extras) return temporary(extras.failure().text, 54);
    if (Result<void> parsed = parse_extras(*extras, *envelope); !parsed) return parsed.failure();
    return envelope;
  }

  int list(const std::vector<std::string>& words, Answer& answer) {
    if (words.size() > 2) return wrong_usage("list takes one quarantine's name at most");
    if (words.size() == 2 && !valid_quarantine_name(words[1])) {
      return wrong_usage("\"" + printable(words[1], 80) + "\" is no quarantine's name");
    }
    Result<std::vector<std::pair<uint64_t, std::string>>> all =
        store_.messages(words.size() == 2 ? words[1] : "");
    if (!all) return failed("list the quarantine", all.failure());
    int exit_code = 0;
    std::string chunk;
    for (const auto& [mid, name] : *all) {
      Result<std::string> line = line_of(mid);
      if (!line && line.failure().permanent()) continue;  // gone since
      // The others can still be listed; the exit code says that one is missing.
      if (!line) exit_code = failed("list message " + std::to_string(mid), line.failure());
      if (line) chunk += *line;
      if (chunk.size() < kChunkBytes) continue;
      if (Result<void> wrote = answer.write(chunk); !wrote)
        return failed("list the quarantine", wrote.failure());
      chunk.clear();
    }
    if (Result<void> wrote = answer.write(chunk); !wrote)
      return failed("list the quarantine", wrote.failure());
    return exit_code;
  }

  Result<std::string> line_of(uint64_t mid) {
    Result<HeldMessage> held = store_.find(mid);
    if (!held) return held.failure();
    Result<QueuedMessage> queued = read_queue_file(held->file.get());
    if (!queued) return queued.failure();
    const size_t length = std::min<uint64_t>(queued->message_size, kHeaderLimitBytes);
    Result<std::string> header = pread_string(held->file.get(), 0, length, "read the header");
    if (!header) return header.failure();
    return held_line(mid, held->quarantine, *queued, header_value(*header, "subject"));
  }

  int show(const std::vector<std::string>& words, Answer& answer) {
    if (words.size() != 2) return wrong_usage("show takes one message's number");
    return for_each_mid(words, "show", [&](uint64_t mid) -> Result<void> {
      Result<HeldMessage> held = store_.find(mid);
      if (!held) return held.failure();
      Result<QueuedMessage> queued = read_queue_file(held->file.get());
      if (!queued) return queued.failure();
      return answer.copy(held->file.get(), queued->message_size);
    });
  }

  Result<void> erase(uint64_t mid) {
    Result<HeldMessage> held = store_.find(mid);
    if (!held) return held.failure();
    if (Result<void> locked = store_.lock(*held); !locked) return locked;
    if (Result<void> removed = store_.remove(*held); !removed) return removed;
    log_info("MID " + std::to_string(mid) + " deleted from quarantine \"" + held->quarantine +
             "\" (by operator)");
    return {};
  }

  int release(Job& job, Answer& answer) {
    if (job.connection >= 0) {
      // Its worker would wait for scanq while scanq's wait for ours.
      log_warning("answer a request",
                  "a release runs in a process of its own; start it as root or as the store's owner");
      return 100;
    }
    return for_each_mid(job.arguments, "release", [&](uint64_t mid) -> Result<void> {
      Result<uint64_t> released = release_message(store_, mid, job.environment);
      if (!released) return released.failure();
      return answer.write(std::to_string(mid) + " released as " + std::to_string(*released) + "\n");
    });
  }

  // All of them are tried; a temporary failure of one outweighs a permanent one of another.
  static int for_each_mid(const std::vector<std::string>& words, std::string_view verb,
                          const std::function<Result<void>(uint64_t)>& act) {
    if (words.size() < 2) return wrong_usage(std::string(verb) + " takes the numbers of messages");
    int exit_code = 0;
    for (size_t i = 1; i < words.size(); ++i) {
      const std::optional<uint64_t> mid = parse_mid(words[i]);
      if (!mid) return wrong_usage("\"" + printable(words[i], 40) + "\" is no message's number");
      const Result<void> done = act(*mid);
      if (!done)
        exit_code = std::max(exit_code,
                             failed(std::string(verb) + " message " + std::to_string(*mid), done.failure()));
    }
    return exit_code;
  }

  static int failed(std::string_view doing, const Failure& failure) {
    log_warning(doing, failure);
    return general_exit_code(failure);
  }

  std::vector<uid_t> operators_;
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
  } else if (verb == "list" || verb == "show") {
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
    if (Result<void> became = become(owner); !became) return became.failure();
  }
  return ::faccessat(AT_FDCWD, store.c_str(), R_OK | W_OK | X_OK, AT_EACCESS) == 0;
}

int run(int argc, char** argv) {
  std::vector<char*> arguments(argv, argv + argc);
  const std::vector<std::string> words(argv + 1, argv + argc);
  Result<std::vector<uid_t>> operators = take_operators(arguments);
  if (!operators) return wrong_usage(operators.failure().text);
  Result<bool> owner = become_owner();
  if (!owner) {
    log_critical("use the quarantine", owner.failure().text);
    return !words.empty() && words[0] == "put" ? queue_exit_code(owner.failure()) : 111;
  }
  const bool serves = !words.empty() && words[0] == "--serve";
  if (!*owner && !serves) return ask_resident(words);
  Quarantine quarantine(std::move(*operators));
  Forms forms;
  forms.defaults.workers = 2;
  forms.path_fds = {0, 3, 5};
  return run_forms(static_cast<int>(arguments.size()), arguments.data(), forms,
                   [&](Job& job, std::string& output) { return quarantine.answer(job, output); });
}

}  // namespace

}  // namespace postern

int main(int argc, char** argv) {
  return postern::run_program("postern-quarantine", {.no_memory = 111, .bug = 111}, postern::run, argc, argv);
}
