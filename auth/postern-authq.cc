// postern-authq - hold the exchange of an AUTH command, and ask who knows the passwords.
//
//   usage      postern-authq [--serve [--workers N] [--clients UID,...]]
//              postern-authq auth MECHANISM STATE   one step of an exchange; STATE is empty at the start
//              postern-authq check USER             is it the user's password?
//   fd 0 in    auth: the client's response in base64; closed when there is none; check: the password
//   fd 1 out   auth: USER TAB the last challenge (0), milliseconds to wait TAB USER (1, and 111 when it
//              counts as a failure), STATE TAB the challenge (2); challenges in base64
//   env        POSTERN_HOME, TCPREMOTEIP
//   files      control/authcheck, control/authfailures, secrets/posterni/{users,key}
//   user       posterni
//   exit       0 authenticated, 1 not, 2 the exchange goes on, 3 too many failures from there: not asked,
//              4 not a response of the mechanism, 5 unknown mechanism, 100 wrong arguments, 111 try again
//
// A password is never logged, leaves no core, and is overwritten where it stood. Who fails and why, nobody
// learns: an unknown user costs the same and is answered the same as a wrong password.

#include <openssl/rand.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "auth/checkers.h"
#include "auth/exchange.h"
#include "auth/failures.h"
#include "auth/user_table.h"
#include "lib/base64.h"
#include "lib/control.h"
#include "lib/log.h"
#include "lib/program.h"
#include "lib/serve.h"
#include "lib/text.h"
#include "lib/watched_file.h"

namespace {

using namespace postern;
using namespace postern::auth;

constexpr size_t kResponseLimitBytes = 12288;  // RFC 4954, 4
constexpr size_t kNonceBytes = 18;
constexpr uint64_t kFailureLimit = 20;
constexpr unsigned kWorkers = 8;

enum Code { kAuthenticated, kRefused, kGoOn, kTooMany, kNotUnderstood, kUnknownMechanism };
constexpr int kUsage = 100;
constexpr int kTryAgain = 111;

class Service {
 public:
  // Once: what has been counted is not forgotten with a SIGHUP.
  bool load() {
    if (key_) return true;
    Result<Key> key = Key::of_instance();
    if (!key) {
      log_critical("read the key", key.failure().text);
      return false;
    }
    key_ = std::move(*key);
    failures_ = std::make_unique<Failures>(*key_);
    return true;
  }

  int answer(Job& job, std::string& output) {
    const std::vector<std::string>& words = job.arguments;
    const std::string ip = job.environment.get_or("TCPREMOTEIP", "");
    if (words.size() == 2 && words[0] == "check") return check(job, words[1], ip);
    if (words.size() == 3 && words[0] == "auth") return authenticate(job, ip, output);
    log_warning("answer", "the arguments are auth MECHANISM STATE, or check USER");
    return kUsage;
  }

 private:
  int check(Job& job, const std::string& name, const std::string& ip) {
    const Result<Secret> password =
        job.fd(0) < 0 ? Result<Secret>(permanent("read the password: there is no descriptor 0"))
                      : read_secret(job.fd(0), kResponseLimitBytes, "read the password");
    const Result<std::vector<std::string>> checkers = read_checkers();
    if (!password || !checkers) return try_again(password ? checkers.failure() : password.failure());
    const Verdict verdict = ask_checkers(*checkers, name, *password, ip);
    return verdict == Verdict::yes ? kAuthenticated : verdict == Verdict::no ? kRefused : kTryAgain;
  }

  int authenticate(Job& job, const std::string& ip, std::string& output) {
    const Result<uint64_t> limit = control_number_or("authfailures", kFailureLimit);
    if (!limit) return try_again(limit.failure());
    const uint64_t now = now_microseconds() / 1000000;
    if (*limit != 0 && failures_->of(ip, now) >= *limit) return kTooMany;
    std::optional<Secret> response;
    if (job.fd(0) >= 0) {
      Result<Secret> read = read_secret(job.fd(0), kResponseLimitBytes, "read the response");
      if (!read) return read.failure().permanent() ? kNotUnderstood : try_again(read.failure());
      response = std::move(*read);
    }
    const Step step = take_step(*key_, checks(ip), job.arguments[1], job.arguments[2],
                                response ? &*response : nullptr, now);
    switch (step.kind) {
      case Step::Kind::authenticated:
        output = step.user + "\t" + base64(step.challenge);
        return kAuthenticated;
      case Step::Kind::go_on:
        output = step.state + "\t" + base64(step.challenge);
        return kGoOn;
      case Step::Kind::refused:
      case Step::Kind::doubtful: {
        // With a directory away many users of one network try again with the right password: that alone
        // locks nobody out.
        const uint64_t before = failures_->of(ip, now);
        const bool is_last = step.kind == Step::Kind::doubtful && *limit != 0 && before + 1 >= *limit;
        const uint64_t failures = is_last ? std::max<uint64_t>(before, 1) : failures_->add(ip, now);
        output = std::to_string(delay_milliseconds(failures)) + "\t" + printable(step.user, 255);
        return step.kind == Step::Kind::refused ? kRefused : kTryAgain;
      }
      case Step::Kind::not_understood:
        return kNotUnderstood;
      case Step::Kind::unknown_mechanism:
        return kUnknownMechanism;
      case Step::Kind::unavailable:
        return kTryAgain;
    }
    return kTryAgain;
  }

  [[nodiscard]] Checks checks(const std::string& ip) {
    Checks checks;
    checks.password = [ip](const std::string& user, const Secret& password) {
      const Result<std::vector<std::string>> checkers = read_checkers();
      if (checkers) return ask_checkers(*checkers, user, password, ip);
      log_warning("check a password", checkers.failure());
      return Verdict::unavailable;
    };
    checks.verifier = [this](const std::string& user) { return verifier_of(user); };
    checks.nonce = [] {
      std::string bytes(kNonceBytes, '\0');
      // Without random bytes nothing is safe: what comes then ends this worker.
      if (::RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size())) != 1)
        ::abort();
      return base64(bytes);
    };
    return checks;
  }

  // The same work whether there is such a user, or one without a verifier, or none.
  [[nodiscard]] std::optional<ScramVerifier> verifier_of(const std::string& name) {
    const UserTable* table = users();
    if (table == nullptr) return std::nullopt;
    const auto has_verifier = [](const User& user) { return !user.verifier.empty(); };
    const User* like = table->stand_in(name, has_verifier);
    const User* user = table->find(name);
    const std::optional<ScramVerifier> other =
        like == nullptr ? std::nullopt : parse_verifier(like->verifier);
    ScramVerifier made_up = key_->made_up_verifier(name, other ? other->iterations : kIterations,
                                                   other ? other->salt.size() : kSaltBytes);
    if (user == nullptr || user->verifier.empty()) return made_up;
    return parse_verifier(user->verifier);
  }

  // Kept between steps, or anybody could make us read a large one again and again. Null: it cannot be read.
  const UserTable* users() {
    if (!users_file_.changed() && users_) return &*users_;
    users_.reset();
    Result<UserTable> table = UserTable::read(users_file_.path());
    if (!table) {
      log_warning("read the users", table.failure());
      return nullptr;
    }
    return &users_.emplace(std::move(*table));
  }

  static int try_again(const Failure& failure) {
    log_warning("authenticate", failure);
    return kTryAgain;
  }

  std::optional<Key> key_;
  std::unique_ptr<Failures> failures_;
  WatchedFile users_file_{users_path()};
  std::optional<UserTable> users_;
};

int run(int argc, char** argv) {
  keep_memory_private();
  Service service;
  ServeOptions defaults;
  defaults.workers = kWorkers;
  defaults.workers_file = "concurrencyauth";
  const Forms forms{.defaults = defaults, .path_fds = {0}, .load = [&] { return service.load(); }};
  return run_forms(argc, argv, forms,
                   [&](Job& job, std::string& output) { return service.answer(job, output); });
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("postern-authq", {.no_memory = 111, .bug = 111}, run, argc, argv);
}
