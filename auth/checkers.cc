#include "auth/checkers.h"

#include "lib/call.h"
#include "lib/child.h"
#include "lib/control.h"
#include "lib/log.h"
#include "lib/text.h"

namespace postern::auth {

namespace {

constexpr int64_t kCheckerMilliseconds = 30000;
constexpr int kYes = 0;
constexpr int kCannotTell = 111;
constexpr int kFirstOfTrouble = 100;  // wrong arguments, a program that is missing, …
constexpr const char* kWhatRunsThen = "/bin/true";

Verdict verdict_of(int exit_code, const std::string& checker) {
  if (exit_code == kYes) return Verdict::yes;
  if (exit_code < kFirstOfTrouble) return Verdict::no;  // there are checkers with one of their own, such as 3
  log_warning("check a password", checker + " ended with code " + std::to_string(exit_code));
  // A tool that is missing makes no password wrong; but it may be a checker's no, so it counts as a guess.
  return exit_code == kCannotTell ? Verdict::unavailable : Verdict::doubtful;
}

Verdict ask_resident(const std::string& checker, const std::string& user, const Secret& password,
                     std::string_view remote_ip) {
  Result<Fd> file = secret_file(password.view());
  if (!file) {
    log_warning("check a password", file.failure());
    return Verdict::unavailable;
  }
  Request request;
  const std::vector<std::string_view> parts = words(checker);
  request.arguments = {"bind", user};
  request.arguments.insert(request.arguments.end(), parts.begin() + 1, parts.end());
  request.environment.set("TCPREMOTEIP", remote_ip);
  request.fds = {{file->get(), 0}};
  const Result<postern::Reply> reply =
      call_program(std::string(parts.front()), request, now_milliseconds() + kCheckerMilliseconds);
  if (reply) return verdict_of(reply->exit_code, checker);
  log_warning("check a password", reply.failure());
  return Verdict::unavailable;
}

Verdict run_checker(const std::string& checker, const std::string& user, const Secret& password,
                    std::string_view remote_ip) {
  std::string told;
  told.reserve(user.size() + password.view().size() + 40);  // a password is to be in one place
  told.append(user).append(1, '\0').append(password.view()).append(1, '\0');
  told.append(std::to_string(now_microseconds())).append(1, '\0');
  Result<Fd> file = secret_file(told);
  wipe(told);
  if (!file) {
    log_warning("check a password", file.failure());
    return Verdict::unavailable;
  }
  ChildOptions child;
  for (const std::string_view word : words(checker)) child.arguments.emplace_back(word);
  child.arguments.emplace_back(kWhatRunsThen);
  child.environment.set("PATH", "/usr/local/bin:/usr/bin:/bin");
  child.environment.set("POSTERN_HOME", home_directory());
  child.environment.set("PROTO", "TCP");
  child.environment.set("TCPREMOTEIP", remote_ip);
  child.fds = {{file->get(), 3}};
  child.dies_with_us = true;
  const Result<ChildEnd> end = run_child(child, now_milliseconds() + kCheckerMilliseconds, 4096);
  if (!end) {
    log_warning("check a password", end.failure());
    return Verdict::unavailable;
  }
  if (end->timed_out || end->signal != 0) {
    log_warning("check a password", checker + (end->timed_out ? " took too long" : " was killed"));
    return Verdict::unavailable;
  }
  return verdict_of(end->exit_code, child.arguments.front());
}

}  // namespace

Result<std::vector<std::string>> read_checkers() {
  Result<std::optional<std::vector<std::string>>> list = control_list("authcheck");
  if (!list) return list.failure();
  if (list->has_value()) return std::move(**list);
  return std::vector<std::string>{"postern-checkpassword"};
}

Verdict ask_checkers(const std::vector<std::string>& checkers, const std::string& user,
                     const Secret& password, std::string_view remote_ip) {
  bool refused = false;
  bool unavailable = false;
  for (const std::string& checker : checkers) {
    const Verdict one = checker.starts_with('@') ? ask_resident(checker, user, password, remote_ip)
                                                 : run_checker(checker, user, password, remote_ip);
    if (one == Verdict::yes) return one;
    refused = refused || one != Verdict::unavailable;
    unavailable = unavailable || one != Verdict::no;
  }
  if (!unavailable) return Verdict::no;
  return refused ? Verdict::doubtful : Verdict::unavailable;
}

}  // namespace postern::auth
