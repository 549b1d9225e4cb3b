#include "local/program_line.h"

#include <algorithm>
#include <array>

#include "lib/child.h"
#include "lib/fd.h"
#include "lib/text.h"
#include "local/mailbox.h"
#include "local/mbox.h"
#include "local/trace_fields.h"

namespace postern {

namespace {

constexpr std::array kPermanentCodes = {100, 64, 65, 70, 76, 77, 78, 112};  // qmail-command(8)

// What stands behind the first, second and third '-'; empty where there are fewer.
void set_extensions(Environment& environment, std::string_view ext) {
  environment.set("EXT", ext);
  for (const char* name : {"EXT2", "EXT3", "EXT4"}) {
    const size_t dash = ext.find('-');
    ext = dash == std::string_view::npos ? std::string_view() : ext.substr(dash + 1);
    environment.set(name, ext);
  }
}

// What stands before the last, second-to-last and third-to-last dot; all of it where there are fewer.
void set_hosts(Environment& environment, std::string_view host) {
  environment.set("HOST", host);
  for (const char* name : {"HOST2", "HOST3", "HOST4"}) {
    host = host.substr(0, host.rfind('.'));
    environment.set(name, host);
  }
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// "5.2.2" at the start of `text`, up to three digits a part (RFC 3463); empty: none.
std::string_view status_at(std::string_view text) {
  size_t at = 1;
  if (text.empty() || !is_digit(text[0])) return {};
  for (int part = 0; part < 2; ++part) {
    if (at >= text.size() || text[at] != '.') return {};
    const size_t first = ++at;
    while (at < text.size() && at - first < 3 && is_digit(text[at])) ++at;
    if (at == first) return {};
  }
  return text.substr(0, at);
}

std::string_view status_in(std::string_view output, char wanted) {
  std::string_view status = status_at(output);
  if (const size_t mark = output.find("(#"); status.empty() && mark != std::string_view::npos)
    status = status_at(output.substr(mark + 2));
  return status.starts_with(wanted) ? status : std::string_view();
}

}  // namespace

Environment program_environment(const MailboxDelivery& delivery, std::string_view forward_sender,
                                const std::optional<std::string>& matched) {
  Environment environment = Environment::of_process();
  environment.set("USER", delivery.user);
  environment.set("HOME", delivery.home);
  environment.set("LOCAL", delivery.local);
  environment.set("RECIPIENT", delivery.local + "@" + delivery.domain);
  environment.set("SENDER", delivery.sender);
  environment.set("NEWSENDER", forward_sender);
  environment.set("DTLINE", delivered_to_line(delivery.local, delivery.domain));
  environment.set("RPLINE", return_path_line(delivery.sender));
  environment.set("UFLINE", mbox_from_line(delivery.sender, now_microseconds() / 1000000));
  set_extensions(environment, delivery.ext);
  set_hosts(environment, delivery.domain);
  for (const char* name : {"DEFAULT", "POSTERN_EXTRAS", "POSTERN_SIGN"}) environment.unset(name);
  if (matched) environment.set("DEFAULT", *matched);
  if (!delivery.mid.empty()) environment.set("POSTERN_MID", delivery.mid);
  if (delivery.keep_unsigned) environment.set("POSTERN_SIGN", "no");  // forward(1), procmail(1): as our own
  return environment;
}

Result<ProgramEnd> judge_program(int exit_code, std::string_view output) {
  if (exit_code == 0) return ProgramEnd::done;
  if (exit_code == 99) return ProgramEnd::done_stop_here;
  const bool never =
      std::find(kPermanentCodes.begin(), kPermanentCodes.end(), exit_code) != kPermanentCodes.end();
  output = trim(output);
  std::string status(status_in(output, never ? '5' : '4'));
  if (output.starts_with(status)) output = trim(output.substr(status.size()));
  std::string said(output);
  std::replace(said.begin(), said.end(), '\n', ' ');
  std::string text = "a program of its owner refused this message";
  if (!never) text = "run a program of its owner: it ended with code " + std::to_string(exit_code);
  if (!said.empty()) text += ": " + printable(said, kProgramOutputBytes);
  if (never) return permanent(std::move(text), 0, status.empty() ? "5.3.0" : status);
  return temporary(std::move(text), 0, status.empty() ? "4.3.0" : status);
}

Result<ProgramEnd> run_program_line(const std::string& line, const Environment& environment, int message,
                                    int64_t deadline_milliseconds, uint64_t memory_bytes) {
  Result<Fd> input = reopen_for_reading(message);
  if (!input) return input.failure();
  ChildOptions options;
  options.arguments = {"/bin/sh", "-c", line};
  options.environment = environment;
  options.fds = {{input->get(), 0}};
  options.errors_with_output = true;
  options.dies_with_us = true;
  options.memory_bytes = memory_bytes;
  Result<ChildEnd> end = run_child(options, deadline_milliseconds, kProgramOutputBytes);
  if (!end) return end.failure();
  if (end->timed_out)
    return temporary("run a program of its owner: it took too long and was ended", 0, "4.3.0");
  if (end->signal != 0) {
    return temporary("run a program of its owner: it was ended by signal " + std::to_string(end->signal));
  }
  return judge_program(end->exit_code, end->output);
}

}  // namespace postern
