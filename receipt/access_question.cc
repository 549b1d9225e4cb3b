#include "receipt/access_question.h"

#include <unistd.h>

#include <array>
#include <cerrno>

#include "lib/child.h"
#include "lib/control.h"
#include "lib/log.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr int64_t kAskMilliseconds = 10000;
constexpr int kWelcome = 0;
constexpr int kNotWelcome = 1;

// In the order of the enumeration.
constexpr std::array<AccessListNames, 3> kNames = {
    {{"mail", "badmailfrom"}, {"rcpt", "badrcptto"}, {"helo", "badhelo"}}};

SmtpReply refusal(AccessList list) {
  switch (list) {
    case AccessList::sender:
      return {.code = "553", .status = "5.7.1", .text = "mail from this sender is not accepted here"};
    case AccessList::recipient:
      return {.code = "550", .status = "5.7.1", .text = "mail to this recipient is not accepted here"};
    case AccessList::helo:
      break;
  }
  return {.code = "550", .status = "5.7.1", .text = "a host of this name is not welcome here"};
}

// What cannot be looked at is not missing.
bool is_missing(const std::string& path) {
  return ::access(path.c_str(), F_OK) < 0 && errno == ENOENT;
}

Result<Reply> put_question(AccessList list, std::string_view value, const AskProgram& ask) {
  const Result<std::string> program = control_line_or("access", "@access");
  if (!program) return program.failure();
  const Request request{
      .arguments = {std::string(names_of(list).verb), std::string(value)}, .environment = {}, .fds = {}};
  Result<Reply> reply = ask_program(ask, *program, request, now_milliseconds() + kAskMilliseconds);
  if (!reply || reply->exit_code == kWelcome) return reply;
  // A script that fails exits with 1, too, but it names no line.
  if (reply->exit_code == kNotWelcome && !trim(reply->output).empty()) return reply;
  return temporary("ask " + *program + ": it answers with " + std::to_string(reply->exit_code) +
                   (reply->exit_code == kNotWelcome ? " and names no line" : ""));
}

}  // namespace

AccessListNames names_of(AccessList list) {
  return kNames.at(static_cast<size_t>(list));
}

Decision check_access(AccessList list, std::string_view value, const AskProgram& ask) {
  const std::string step(names_of(list).file);
  if (value.empty() || is_missing(home_path("control/" + step))) return pass(step);
  const Result<Reply> reply = put_question(list, value, ask);
  if (!reply) {
    log_warning("look at control/" + step, reply.failure());
    return refuse(step, {.code = "451", .status = "4.3.0", .text = "unable to check this now"},
                  reply.failure().text);
  }
  std::string why(trim(reply->output));
  if (reply->exit_code == kWelcome) return pass(step, std::move(why));
  return refuse(step, refusal(list), std::move(why));
}

}  // namespace postern
