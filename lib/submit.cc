#include "lib/submit.h"

#include <unistd.h>

#include <algorithm>
#include <array>

#include "lib/call.h"
#include "lib/fd.h"
#include "lib/log.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kReasonLimitBytes = 1000;

struct Row {
  int exit_code;
  const char* code;
  const char* status;
  const char* text;
};

// qmail-queue(8)'s codes. Whatever is not here: 11 to 40 permanent, the rest temporary.
constexpr std::array kRows = {
    Row{0, "250", "2.0.0", "ok"},
    Row{11, "554", "5.1.3", "an address is too long, or there are too many"},
    Row{31, "554", "5.7.1", "the message was refused"},
    Row{51, "451", "4.3.0", "out of memory"},
    Row{52, "451", "4.3.0", "timed out inside"},
    Row{53, "451", "4.3.1", "unable to write the message: no room, or a disk error"},
    Row{54, "451", "4.3.0", "unable to read the message"},
    Row{55, "451", "4.3.5", "unable to read the configuration"},
    Row{56, "451", "4.3.0", "a service inside does not answer"},
    Row{61, "451", "4.3.0", "unable to use the queue directory"},
    Row{62, "451", "4.3.0", "unable to use the queue directory"},
    Row{63, "451", "4.3.0", "unable to use the queue directory"},
    Row{64, "451", "4.3.0", "unable to use the queue directory"},
    Row{65, "451", "4.3.0", "unable to use the queue directory"},
    Row{66, "451", "4.3.0", "unable to use the queue directory"},
    Row{71, "451", "4.4.1", "a far server refused for now"},
    Row{72, "451", "4.4.1", "unable to reach a far server"},
    Row{73, "451", "4.4.1", "unable to reach a far server"},
    Row{74, "451", "4.4.2", "the connection to a far server broke"},
    Row{81, "451", "4.3.0", "an internal fault"},
    Row{91, "451", "4.3.0", "the envelope was not understood inside"},
    Row{120, "451", "4.3.5", "a program could not be executed"},
};
constexpr Row kPermanent = {0, "554", "5.3.0", "the message was refused"};
constexpr Row kTemporary = {0, "451", "4.3.0", "a temporary fault inside"};

SmtpReply reply_of(const Row& row) {
  return {.code = row.code, .status = row.status, .text = row.text};
}

bool is_reply_code(std::string_view word, char first) {
  return word.size() == 3 && word[0] == first &&
         std::all_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_status(std::string_view word, char first) {
  const std::vector<std::string_view> parts = split(word, '.');
  return parts.size() == 3 && parts[0].size() == 1 && parts[0][0] == first && parts[1].size() <= 3 &&
         parts[2].size() <= 3 && parse_number(parts[1]) && parse_number(parts[2]);
}

// 82: D or Z, then optionally a reply code and an enhanced status of the same class, then the text. A class
// that does not agree is left in the text; a reason that begins with neither letter is temporary.
SmtpReply reasoned_reply(std::string_view reason) {
  const bool never = reason.starts_with('D');
  SmtpReply reply = reply_of(never ? kPermanent : kTemporary);
  if (reason.empty()) return reply;
  if (never || reason.starts_with('Z')) reason.remove_prefix(1);
  const char first = never ? '5' : '4';
  reason = trim(reason);
  const auto take_word = [&](auto&& fits, std::string& into) {
    const std::string_view word = reason.substr(0, reason.find(' '));
    if (!fits(word, first)) return;
    into = word;
    reason = trim(reason.substr(word.size()));
  };
  take_word(is_reply_code, reply.code);
  take_word(is_status, reply.status);
  if (!reason.empty()) reply.text = printable(reason, kReasonLimitBytes);
  return reply;
}

QueueAnswer failed(const Failure& failure) {
  log_warning("queue a message", failure);
  return {.exit_code = failure.exit_code != 0 ? failure.exit_code : 56, .reason = {}};
}

}  // namespace

SmtpReply queue_reply(const QueueAnswer& answer) {
  if (answer.exit_code == 82) return reasoned_reply(answer.reason);
  for (const Row& row : kRows) {
    if (row.exit_code == answer.exit_code) return reply_of(row);
  }
  return reply_of(answer.exit_code >= 11 && answer.exit_code <= 40 ? kPermanent : kTemporary);
}

std::string queue_reason(const SmtpReply& reply) {
  return (reply.permanent() ? "D" : "Z") + reply.line();
}

int queue_exit_code(const Failure& failure) {
  if (failure.exit_code != 0) return failure.exit_code;
  return failure.permanent() ? 31 : 81;
}

QueueAnswer submit(std::string_view program, int message, const Envelope& envelope,
                   const Environment& environment, int64_t deadline_milliseconds) {
  Result<Fd> envelope_file = memory_file_with("envelope", serialise_envelope(envelope));
  if (!envelope_file) return failed(envelope_file.failure());
  if (Result<void> sealed = seal(envelope_file->get()); !sealed) return failed(sealed.failure());
  Result<Fd> reason_file = memory_file("reason");
  if (!reason_file) return failed(reason_file.failure());
  Request request{.arguments = {},
                  .environment = joint_variables(environment),
                  .fds = {{message, 0}, {envelope_file->get(), 1}, {reason_file->get(), 6}}};
  request.environment.unset("POSTERN_EXTRAS");
  Fd extras_file;
  if (const std::string extras = serialise_extras(envelope); !extras.empty()) {
    Result<Fd> made = memory_file_with("extras", extras);
    if (!made) return failed(made.failure());
    if (Result<void> sealed = seal(made->get()); !sealed) return failed(sealed.failure());
    extras_file = std::move(*made);
    request.fds.push_back({extras_file.get(), 5});
    request.environment.set("POSTERN_EXTRAS", "5");
  }
  ::lseek(message, 0, SEEK_SET);  // a path form reads on from the offset, which it shares with us
  Result<Reply> reply = call_program(program, request, deadline_milliseconds);
  if (!reply) return failed(reply.failure());
  QueueAnswer answer{.exit_code = reply->exit_code, .reason = {}, .output = std::move(reply->output)};
  if (answer.exit_code == 82) {
    answer.reason.resize(kReasonLimitBytes);
    Result<size_t> got = pread_full(reason_file->get(), answer.reason, 0, "read the reason");
    answer.reason.resize(got ? *got : 0);
  }
  return answer;
}

}  // namespace postern
