// What outlasts one request: state, other requests at the same time, a client that is gone.
#include <algorithm>

#include "scanq/stagetest_case.h"
#include "scanq/stagetest_directory.h"

namespace postern::stagetest {

namespace {

constexpr size_t kAtOnce = 20;

std::string told_apart(const Seen& one, const Seen& two) {
  return "\"" + summary_of(one) + "\", then \"" + summary_of(two) + "\"";
}

// The ordinary messages once more: the same answers.
Outcome same_again(Examination& examination) {
  const std::vector<Seen>& before = examination.ordinary_answers();
  for (size_t i = 0; i < before.size(); ++i) {
    const Seen again = examination.ask(examination.request(examination.ordinary_messages()[i]));
    if (comparable(again) != comparable(before[i]))
      return {Outcome::failed, "message " + std::to_string(i + 1) + ": " + told_apart(before[i], again)};
  }
  return {Outcome::passed, std::to_string(before.size()) + " answers as before"};
}

Outcome leaves_files(Examination& examination) {
  const WatchedDirectory directory;
  if (!directory.failure().empty()) return {Outcome::not_judged, directory.failure()};
  const WatchedDirectory::Content before = directory.content();
  for (const std::string& message : examination.ordinary_messages()) {
    StageRequest request = examination.request(message);
    request.settings = directory.settings();
    request.directory = directory.path("work");
    const Seen seen = examination.ask(request);
    if (Outcome outcome = examination.judge(seen, request); outcome.kind != Outcome::passed) return outcome;
    const std::string change = first_change(before, directory.content());
    if (!change.empty()) return {Outcome::failed, change};
  }
  return {Outcome::passed, std::to_string(before.size()) + " files and directories as before"};
}

// Messages that differ in kind, subject and length, so that an answer that belongs to another is noticed.
std::vector<std::string> many_messages(const std::vector<std::string>& ordinary) {
  std::vector<std::string> messages;
  for (size_t i = 0; i < kAtOnce; ++i) {
    std::string message = ordinary[i % ordinary.size()];
    const size_t subject = message.find("Subject: ");
    if (subject != std::string::npos)
      message.insert(subject + 9, repeated("number ", i) + std::to_string(i) + " ");
    messages.push_back(std::move(message));
  }
  return messages;
}

Outcome at_once(Examination& examination) {
  const std::vector<std::string> messages = many_messages(examination.ordinary_messages());
  std::vector<Seen> alone;
  for (const std::string& message : messages) alone.push_back(examination.ask(examination.request(message)));
  if (!examination.answers_repeat()) return {Outcome::not_judged, std::string(kAnswersDiffer)};
  const Seen again = examination.ask(examination.request(messages.front()));
  const bool compare_output = again.output == alone.front().output;
  std::vector<StageRun> runs;
  for (const std::string& message : messages) {
    runs.push_back(
        StageRun::begin(examination.program(), examination.request(message), examination.timeout()));
  }
  std::string fault;
  int64_t longest = 0;
  for (size_t i = 0; i < runs.size(); ++i) {
    const Seen seen = runs[i].end(i + 1 == runs.size() ? examination.grace() : kOthersAreUnderWay);
    longest = std::max(longest, seen.milliseconds);
    if (!fault.empty()) continue;
    if (comparable(seen) != comparable(alone[i])) fault = told_apart(alone[i], seen);
    if (compare_output && seen.output != alone[i].output)
      fault = "descriptor 4 got something else than alone";
    if (!fault.empty()) fault = "message " + std::to_string(i + 1) + ": " + fault;
  }
  if (!fault.empty()) return {Outcome::failed, std::move(fault)};
  return {Outcome::passed, "the same 20 answers, " + std::to_string(longest) + " ms"};
}

// Nobody reads the verdict: the stage has to end, and a resident has to answer the next one.
Outcome client_gone(Examination& examination) {
  const std::string message = ordinary_mail();
  const StageRequest request = examination.request(message);
  StageRun run = StageRun::begin(examination.program(), request, examination.timeout());
  run.hang_up();
  if (!examination.program().resident) {
    const Seen seen = run.end(examination.grace());
    if (!seen.not_asked.empty()) return {Outcome::failed, seen.not_asked};
    if (seen.late) return {Outcome::failed, "it went on for " + std::to_string(seen.milliseconds) + " ms"};
    return {Outcome::passed, "ended after " + std::to_string(seen.milliseconds) + " ms"};
  }
  return examination.try_out(request);
}

}  // namespace

std::vector<Case> state_cases() {
  return {
      {"same-answer-again", "in a dry run the same message gets the same answer again", same_again,
       InForm::either,
       "with POSTERN_DRYRUN set learn nothing and count nothing; leave times out of verdicts"},
      {"dry-run-leaves-files",
       "in a dry run it changes no file in its working directory, POSTERN_HOME, HOME or TMPDIR", leaves_files,
       InForm::path, "with POSTERN_DRYRUN set write nothing, and remove scratch files"},
      {"twenty-at-once", "20 messages at once get the answers that they get one by one", at_once,
       InForm::either, "give every request scratch files of its own (mktemp), and share no state"},
      {"client-gone",
       "a client that goes without its answer does no harm: it ends, a resident serves the next", client_gone,
       InForm::either, "do not ignore SIGPIPE, or end when a write fails"},
  };
}

}  // namespace postern::stagetest
