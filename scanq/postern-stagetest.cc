// postern-stagetest - check a stage, in either form, against the stage interface (Joint 4).
//
//   usage      postern-stagetest [--user USER] [--timeout SECONDS] [--message FILE]... [--only NAME]...
//              PROGRAM [ARGUMENT]... | @NAME
//              postern-stagetest --list
//   fd 1 out   a line for each case, what was seen, the remedy of what failed; last "N passed, N failed, N
//              skipped"
//   env        POSTERN_HOME, TMPDIR, PATH
//   exit       0 nothing failed, 1 something failed, 100 usage, 111 it could not be tried

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <optional>

#include "lib/bind.h"
#include "lib/log.h"
#include "lib/owner.h"
#include "lib/program.h"
#include "lib/text.h"
#include "scanq/stagetest_case.h"
#include "scanq/stagetest_processes.h"

namespace {

using namespace postern;
using namespace postern::stagetest;

constexpr size_t kMessageLimitBytes = size_t{256} * 1024 * 1024;
constexpr uint64_t kLongestTimeoutSeconds = 3600;

struct Options {
  bool list = false;
  std::string user;
  Examined examined;
  std::vector<std::string> only;
};

int usage(std::string_view why) {
  log_critical("start",
               std::string(why) +
                   "; usage: postern-stagetest [--user USER] [--timeout SECONDS] [--message FILE]... "
                   "[--only NAME]... PROGRAM [ARGUMENT]... | @NAME, or postern-stagetest --list");
  return 100;
}

int refuse(const Failure& failure) {
  if (failure.permanent()) return usage(failure.text);
  log_critical("start", failure.text);
  return 111;
}

bool print(const std::string& text) {
  return write_all(1, text, "print").ok();
}

// The program's place does not depend on the directory that it is started in. One that is not there fails in
// the case of that name.
void make_absolute(std::string& program) {
  if (program.starts_with('/') || program.find('/') == std::string::npos) return;
  char* whole = ::realpath(program.c_str(), nullptr);
  if (whole != nullptr) program = whole;
  ::free(whole);
}

Result<void> take_value(Options& options, std::string_view option, const std::string& value) {
  if (option == "--user") {
    options.user = value;
  } else if (option == "--only") {
    options.only.push_back(value);
  } else if (option == "--timeout") {
    const auto seconds = parse_number(value);
    if (!seconds || *seconds == 0 || *seconds > kLongestTimeoutSeconds)
      return permanent("--timeout takes seconds, 1 to " + std::to_string(kLongestTimeoutSeconds));
    options.examined.timeout_milliseconds = static_cast<int64_t>(*seconds) * 1000;
  } else if (option == "--message") {
    Result<std::string> message = read_file(value, kMessageLimitBytes);
    if (!message) return message.failure();
    options.examined.own_messages.push_back(std::move(*message));
  } else {
    return permanent("there is no option " + std::string(option));
  }
  return {};
}

Result<Options> parse_options(int argc, char** argv) {
  Options options;
  int at = 1;
  for (; at < argc && std::string_view(argv[at]).starts_with("--"); ++at) {
    const std::string_view option = argv[at];
    if (option == "--list") {
      options.list = true;
      continue;
    }
    if (at + 1 == argc) return permanent(std::string(option) + " stands without a value");
    Result<void> taken = take_value(options, option, argv[++at]);
    if (!taken) return taken.failure();
  }
  if (options.list) return options;
  std::string words;
  for (; at < argc; ++at) words += std::string(argv[at]) + " ";
  Result<StageProgram> program = parse_stage_program(words);
  if (!program) return program.failure();
  options.examined.program = std::move(*program);
  if (!options.examined.program.resident) make_absolute(options.examined.program.words.front());
  return options;
}

std::string_view name_of(InForm form) {
  return form == InForm::path ? "path" : form == InForm::resident ? "resident" : "both";
}

int list(const std::vector<Case>& cases) {
  std::string text;
  for (const Case& one : cases) {
    text +=
        std::string(one.name) + "\t" + std::string(name_of(one.form)) + "\t" + std::string(one.demand) + "\n";
  }
  return print(text) ? 0 : 111;
}

Outcome run_case(const Case& one, Examination& examination) {
  const bool resident = examination.program().resident;
  if (one.form == (resident ? InForm::path : InForm::resident))
    return {Outcome::not_judged, resident ? "only the path form has it" : "only a resident has it"};
  const std::string hopeless = examination.hopeless();
  const bool names_a_fault = std::any_of(fault_cases().begin(), fault_cases().end(),
                                         [&](const FaultCase& fault) { return fault.name == one.name; });
  if (!hopeless.empty() && !names_a_fault) return {Outcome::not_judged, hopeless};
  return one.run(examination);
}

std::string report(const Case& one, const Outcome& outcome) {
  const std::string_view word = outcome.kind == Outcome::passed   ? "pass"
                                : outcome.kind == Outcome::failed ? "FAIL"
                                                                  : "skip";
  std::string text = std::string(word) + "  " + std::string(one.name) + ": " + std::string(one.demand) + "\n";
  text +=
      (outcome.kind == Outcome::not_judged ? "      why: " : "      seen: ") + printable(outcome.seen) + "\n";
  if (outcome.kind != Outcome::failed) return text;
  const std::string_view remedy = outcome.remedy.empty() ? one.remedy : std::string_view(outcome.remedy);
  return text + "      remedy: " + std::string(remedy) + "\n";
}

// Those that are named, or all; nothing when a name is none.
std::optional<std::vector<Case>> chosen(std::vector<Case> cases, const std::vector<std::string>& only) {
  if (only.empty()) return cases;
  std::vector<Case> some;
  for (const std::string& name : only) {
    const auto found =
        std::find_if(cases.begin(), cases.end(), [&](const Case& one) { return one.name == name; });
    if (found == cases.end()) return std::nullopt;
    some.push_back(*found);
  }
  return some;
}

int examine(const std::vector<Case>& cases, const Options& options) {
  Examination examination(options.examined, !options.only.empty());
  size_t passed = 0;
  size_t failed = 0;
  for (const Case& one : cases) {
    const Outcome outcome = run_case(one, examination);
    passed += outcome.kind == Outcome::passed ? 1 : 0;
    failed += outcome.kind == Outcome::failed ? 1 : 0;
    if (!print(report(one, outcome))) return 111;
  }
  const std::string sums = std::to_string(passed) + " passed, " + std::to_string(failed) + " failed, " +
                           std::to_string(cases.size() - passed - failed) + " skipped\n";
  if (!print(sums)) return 111;
  return failed > 0 ? 1 : 0;
}

Result<void> become_user(const std::string& name) {
  Result<Identity> identity = look_up_user(name);
  if (!identity) return identity.failure();
  return become(*identity);
}

int run(int argc, char** argv) {
  Result<Options> options = parse_options(argc, argv);
  if (!options) return refuse(options.failure());
  if (options->list) return list(all_cases());
  const std::optional<std::vector<Case>> cases = chosen(all_cases(), options->only);
  if (!cases) return usage("--only names no case; --list tells all");
  if (!options->user.empty()) {
    if (Result<void> became = become_user(options->user); !became) {
      log_critical("become " + options->user, became.failure().text);
      return 111;
    }
  }
  adopt_orphans();
  return examine(*cases, *options);
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("postern-stagetest", {.no_memory = 111, .bug = 111}, run, argc, argv);
}
