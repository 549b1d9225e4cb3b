#include "scanq/stagetest_faults.h"

#include <string.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "lib/text.h"
#include "scanq/verbs.h"

namespace postern::stagetest {

namespace {

constexpr int kTemporary = 111;

Fault fault_of(LineFault fault) {
  switch (fault) {
    case LineFault::verb:
      return Fault::unknown_verb;
    case LineFault::count:
      return Fault::argument_count;
    case LineFault::code:
      return Fault::argument_code;
    case LineFault::field:
      return Fault::argument_field;
    case LineFault::address:
      return Fault::argument_address;
    case LineFault::name:
      return Fault::argument_name;
    case LineFault::number:
      return Fault::argument_number;
    case LineFault::host:
      return Fault::argument_host;
  }
  return Fault::argument_name;
}

bool looks_like_a_verb(std::string_view verb) {
  return !verb.empty() && verb.size() <= 32 && std::all_of(verb.begin(), verb.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

// A status is DIGIT.DIGITS.DIGITS (RFC 3463); a text that begins with none has none to be wrong.
bool contradicts(std::string_view code, std::string_view text) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return text.size() > 4 && is_digit(text[0]) && text[1] == '.' && is_digit(text[2]) && text[0] != code[0];
}

// What depends on more than one argument, or on the message.
std::optional<Finding> judge_meaning(VerdictVerb verb, const std::vector<std::string>& arguments,
                                     const std::vector<std::string>& recipients) {
  if (verb == VerdictVerb::reject && contradicts(arguments[0], arguments[1])) {
    return Finding{Fault::argument_code, "the status in \"" + printable(arguments[1], 60) +
                                             "\" is not of the class of " + arguments[0]};
  }
  if (verb != VerdictVerb::split && verb != VerdictVerb::route) return std::nullopt;
  const auto stranger = std::find_if(arguments.begin() + 1, arguments.end(), [&](const std::string& address) {
    return std::find(recipients.begin(), recipients.end(), address) == recipients.end();
  });
  if (stranger == arguments.end()) return std::nullopt;
  return Finding{Fault::argument_address,
                 "\"" + printable(*stranger, 60) + "\" is not one of the envelope's recipients"};
}

void judge_line(const VerdictLine& line, const std::vector<std::string>& recipients,
                std::vector<Finding>& findings) {
  CheckedLine checked = check_line(line);
  if (!checked.problem) {
    if (std::optional<Finding> meaning = judge_meaning(checked.verb, line.arguments, recipients))
      findings.push_back(std::move(*meaning));
  } else if (checked.problem->fault == LineFault::verb && !looks_like_a_verb(line.verb)) {
    findings.push_back({Fault::chatter, "a line \"" + printable(line.verb, 60) + "\""});
  } else {
    findings.push_back({fault_of(checked.problem->fault), std::move(checked.problem->text)});
  }
}

bool says(const std::vector<VerdictLine>& lines, std::string_view verb) {
  return std::any_of(lines.begin(), lines.end(), [&](const VerdictLine& line) { return line.verb == verb; });
}

void judge_verdict(const Seen& seen, const std::vector<std::string>& recipients,
                   std::vector<Finding>& findings) {
  if (!seen.verdict.empty() && !seen.verdict.ends_with('\n')) {
    const std::string_view verdict = seen.verdict;
    findings.push_back({Fault::cut, "the last line is \"" +
                                        printable(verdict.substr(verdict.rfind('\n') + 1), 60) +
                                        "\" without an LF"});
    return;
  }
  Result<std::vector<VerdictLine>> lines = parse_verdict(seen.verdict);
  if (!lines) {
    findings.push_back({Fault::unreadable, lines.failure().text});
    return;
  }
  for (const VerdictLine& line : *lines) judge_line(line, recipients, findings);
  const bool rewritten = says(*lines, "message");
  if (!rewritten && !seen.output.empty())
    findings.push_back({Fault::unasked_output, std::to_string(seen.output.size()) +
                                                   " bytes on descriptor 4, and no line `message`"});
  if (rewritten && seen.output.empty())
    findings.push_back({Fault::missing_output, "`message`, and nothing on descriptor 4"});
}

}  // namespace

const std::vector<FaultCase>& fault_cases() {
  static const std::vector<FaultCase> cases = {
      {Fault::not_asked, "starts", "the program can be started, the resident takes connections",
       "check its path and mode, or that the service runs and this user may enter run/"},
      {Fault::killed, "ends-by-itself", "no signal ends it; a resident replies before it closes",
       "look for the crash in its log; a resident answers the users in its --clients list alone (--user)"},
      {Fault::late, "answers-in-time", "it ends within the time that a stage has (--timeout)",
       "set a deadline of its own below the stage line's timeout= and exit 111 at it"},
      {Fault::exit_code, "exit-code", "the exit code is 0 with a verdict or 111, nothing else",
       "exit 111 whenever it cannot say; a refusal is the verb `reject`, not an exit code"},
      {Fault::flood, "verdict-bounded", "the verdict has at most 64 KiB",
       "cut what it quotes of the message; logs belong on descriptor 2"},
      {Fault::cut, "verdict-complete", "the last line of the verdict ends with LF too",
       "print whole lines; check that every write went through and exit 111 if not"},
      {Fault::unreadable, "verdict-readable",
       "no line is empty or has a NUL, and a backslash begins \\\\, \\t, \\n or \\r",
       "escape backslash, TAB, LF and CR in each argument, leave NUL out"},
      {Fault::chatter, "only-a-verdict", "descriptor 1 gets the verdict and nothing else",
       "send messages for people to descriptor 2, or as `log TEXT`"},
      {Fault::unknown_verb, "verbs-known", "every verb is one of Joint 4, or is written ?verb",
       "see postern-scanq(8) for the verbs"},
      {Fault::argument_count, "argument-counts", "every verb has as many arguments as it takes",
       "separate arguments by one TAB, and escape a TAB inside one as \\t"},
      {Fault::argument_code, "arguments-replies",
       "`reject` has a code 4yz or 5yz, and a status of that class or none",
       "write `reject TAB 554 TAB 5.7.1 text`"},
      {Fault::argument_field, "arguments-fields",
       "header fields have a name of printable characters without a colon, and a value of up to 64 KiB",
       "leave the colon away; cut the value"},
      {Fault::argument_address, "arguments-addresses",
       "addresses have 1 to 1003 bytes and no control characters; `split` and `route` name recipients of the "
       "envelope",
       "take recipients as descriptor 3 has them, byte by byte"},
      {Fault::argument_name, "arguments-names",
       "names have 1 to 64 letters, digits and a few signs, those of tags A-Z, 0-9 and _, reasons at most "
       "2048 bytes",
       "do not make names of what a message says"},
      {Fault::argument_number, "arguments-numbers", "times and points are numbers",
       "UNTIL is in seconds since 1970, or +SECONDS; POINTS like -1.5"},
      {Fault::argument_host, "arguments-hosts", "`route` has HOST[:PORT], `source` an IP address",
       "write an address literal in brackets"},
      {Fault::unasked_output, "output-needs-message", "it writes to descriptor 4 only when it says `message`",
       "print `message` when it has written the whole new message, and write nothing else there"},
      {Fault::missing_output, "message-needs-output",
       "when it says `message` the whole new message is on descriptor 4",
       "write the message before the verdict, and check that it went through"},
      {Fault::changed_message, "message-unchanged", "the message on descriptor 0 is as it was",
       "write a changed message to descriptor 4"},
      {Fault::changed_envelope, "envelope-unchanged", "the envelope on descriptor 3 is as it was",
       "say changes of it in the verdict: sender, recipient-add and so on"},
      {Fault::left_behind, "leaves-no-children", "no process that it started is left when it has ended",
       "wait for every child; close what a child would go on with"},
  };
  return cases;
}

const FaultCase& case_of(Fault fault) {
  const std::vector<FaultCase>& cases = fault_cases();
  return *std::find_if(cases.begin(), cases.end(), [&](const FaultCase& one) { return one.fault == fault; });
}

std::vector<Finding> findings_of(const Seen& seen, const std::vector<std::string>& recipients) {
  if (!seen.not_asked.empty()) return {{Fault::not_asked, seen.not_asked}};
  std::vector<Finding> findings;
  if (seen.message_changed) findings.push_back({Fault::changed_message, "other bytes than before"});
  if (seen.envelope_changed) findings.push_back({Fault::changed_envelope, "other bytes than before"});
  if (seen.left_behind > 0)
    findings.push_back({Fault::left_behind, std::to_string(seen.left_behind) + " left 2 s after its end"});
  if (seen.late) {
    findings.push_back({Fault::late, "nothing after " + std::to_string(seen.milliseconds) + " ms"});
  } else if (seen.no_reply) {
    findings.push_back({Fault::killed, "no reply: " + seen.last_words});
  } else if (seen.flooded) {
    // What a stage makes of a pipe that is closed then is its own affair.
  } else if (seen.signal != 0) {
    findings.push_back({Fault::killed, "killed by signal " + std::to_string(seen.signal) + " (" +
                                           ::strsignal(seen.signal) + ")"});
  } else if (seen.exit_code != 0 && seen.exit_code != kTemporary) {
    findings.push_back({Fault::exit_code, "exit code " + std::to_string(seen.exit_code)});
  } else if (seen.exit_code == 0) {
    judge_verdict(seen, recipients, findings);
  }
  if (seen.flooded) findings.push_back({Fault::flood, "more than 64 KiB on descriptor 1"});
  return findings;
}

std::string summary_of(const Seen& seen) {
  if (!seen.not_asked.empty()) return seen.not_asked;
  std::string text = seen.late          ? "no end"
                     : seen.no_reply    ? "no reply"
                     : seen.signal != 0 ? "signal " + std::to_string(seen.signal)
                                        : "exit " + std::to_string(seen.exit_code);
  const auto lines = std::count(seen.verdict.begin(), seen.verdict.end(), '\n');
  if (seen.exit_code == 0) text += ", " + std::to_string(lines) + (lines == 1 ? " line" : " lines");
  return text + ", " + std::to_string(seen.milliseconds) + " ms";
}

std::string comparable(const Seen& seen) {
  if (!seen.not_asked.empty() || seen.late || seen.no_reply) return "no answer";
  std::string text =
      "exit " + std::to_string(seen.exit_code) + " signal " + std::to_string(seen.signal) + "\n";
  if (seen.exit_code != 0) return text;
  Result<std::vector<VerdictLine>> lines = parse_verdict(seen.verdict);
  if (!lines) return text + seen.verdict;
  for (VerdictLine& line : *lines) {
    if (line.verb == "log") continue;
    if (line.verb == "hold" && !line.arguments.empty()) line.arguments.front().clear();
    text += format_verdict_line(line);
  }
  return text;
}

}  // namespace postern::stagetest
