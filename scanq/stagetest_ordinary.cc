// One case for each kind of fault, judged by the answers to ordinary messages, so that a fault which shows
// everywhere is told once and by its name.
#include "lib/text.h"
#include "scanq/stagetest_case.h"

namespace postern::stagetest {

namespace {

constexpr int kTemporary = 111;

Outcome judge_fault(Examination& examination, Fault fault) {
  for (const Finding& finding : examination.ordinary_findings()) {
    if (finding.fault == fault) return {Outcome::failed, finding.seen};
  }
  const size_t asked = examination.ordinary_answers().size();
  return {Outcome::passed, "not in " + std::to_string(asked) + " answers"};
}

Outcome judge_answered(Examination& examination) {
  const Seen& seen = examination.ordinary_answers().front();
  if (seen.exit_code != kTemporary) {
    const bool answered = seen.not_asked.empty() && !seen.late && !seen.no_reply && seen.signal == 0;
    return {answered ? Outcome::passed : Outcome::not_judged, summary_of(seen)};
  }
  return {Outcome::failed,
          summary_of(seen) + (seen.last_words.empty() ? "" : "; " + printable(seen.last_words))};
}

// Joint 2's lines end in LF: a rewriter that works with CR LF must take the CR off again.
Outcome judge_line_ends(Examination& examination) {
  size_t rewritten = 0;
  const std::vector<Seen>& answers = examination.ordinary_answers();
  for (size_t i = 0; i < answers.size(); ++i) {
    const std::string& before = examination.ordinary_messages()[i];
    if (answers[i].output.empty() || before.find('\r') != std::string::npos) continue;
    ++rewritten;
    if (answers[i].output.find('\r') != std::string::npos)
      return {Outcome::failed, "a CR in the new message, none in the old one"};
  }
  return {Outcome::passed, std::to_string(rewritten) + " new messages"};
}

}  // namespace

std::vector<Case> ordinary_cases() {
  std::vector<Case> cases;
  for (const FaultCase& one : fault_cases()) {
    const Fault fault = one.fault;
    cases.push_back({one.name, one.demand,
                     [fault](Examination& examination) { return judge_fault(examination, fault); },
                     fault == Fault::left_behind ? InForm::path : InForm::either, one.remedy});
  }
  cases.push_back({"answers-ordinary-mail", "an ordinary mail gets a verdict; 111 would hold up all mail",
                   judge_answered, InForm::either,
                   "see its log; a stage works with its defaults where there is no control file"});
  cases.push_back({"rewriting-keeps-line-ends", "a new message has lines that end in LF, as the old one",
                   judge_line_ends, InForm::either, "write LF where the message had LF"});
  return cases;
}

}  // namespace postern::stagetest
