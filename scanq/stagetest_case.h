// A case of postern-stagetest, and the examination that it is part of.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "scanq/stagetest_faults.h"
#include "scanq/stagetest_run.h"

namespace postern::stagetest {

struct Examined {
  StageProgram program;
  int64_t timeout_milliseconds = 60000;
  std::vector<std::string> own_messages;  // of whoever runs the test, beside the ordinary ones
};

struct Outcome {
  enum Kind { passed, failed, not_judged } kind = passed;
  std::string seen;      // or why it is not judged
  std::string remedy{};  // where it is not that of the case
};

class Examination {
 public:
  // `judge_all`: also what is wrong with the ordinary messages already.
  Examination(Examined examined, bool judge_all);

  [[nodiscard]] const StageProgram& program() const { return examined_.program; }
  [[nodiscard]] int64_t timeout() const { return examined_.timeout_milliseconds; }

  // A dry run of that message with one sender, one recipient and the variables of mail from outside.
  [[nodiscard]] StageRequest request(std::string_view message) const;
  Seen ask(const StageRequest& request) const;
  // How long what it left behind may take to end: no time where it is known to leave something behind.
  [[nodiscard]] int64_t grace() const;
  // The same, judged.
  Outcome try_out(const StageRequest& request);
  Outcome judge(const Seen& seen, const StageRequest& request);

  // A mail that nobody would hold up, one with an attachment, the test virus, the test spam, and the
  // operator's own; and what is wrong with the answers. They are asked once.
  [[nodiscard]] const std::vector<std::string>& ordinary_messages() const { return ordinary_; }
  const std::vector<Finding>& ordinary_findings();
  const std::vector<Seen>& ordinary_answers();
  // Has any answer so far been another one than the others?
  bool answers_vary();
  // Has an ordinary mail the same answer twice? Else answers cannot be compared.
  bool answers_repeat();

  // Does a fault of the ordinary messages make it idle to go on? Says which, or nothing.
  std::string hopeless();

 private:
  void ask_ordinary();
  Examined examined_;
  bool judge_all_;
  bool asked_ordinary_ = false;
  std::vector<std::string> ordinary_;
  std::vector<Seen> answers_;
  std::vector<Finding> findings_;
  std::optional<bool> answers_repeat_;
  std::set<std::string> different_;  // comparable answers to messages
};

constexpr std::string_view kAnswersDiffer = "it gives the same message two answers (same-answer-again)";

enum class InForm { either, path, resident };

struct Case {
  std::string_view name;
  std::string_view demand;
  std::function<Outcome(Examination&)> run;
  InForm form = InForm::either;
  std::string_view remedy{};
};

// In the order in which they are run; each part is a theme.
std::vector<Case> ordinary_cases();
std::vector<Case> message_cases();
std::vector<Case> mime_cases();
std::vector<Case> envelope_cases();
std::vector<Case> surroundings_cases();
std::vector<Case> state_cases();
std::vector<Case> resident_cases();
std::vector<Case> all_cases();

// Parts that several themes make their messages of.
std::string repeated(std::string_view text, size_t times);
std::string mail_with_body(std::string_view subject, std::string_view body);
std::string ordinary_mail(std::string_view subject = "a question");
std::string eicar_mail();
std::string gtube_mail();
std::string envelope_of(std::string_view sender, const std::vector<std::string>& recipients);

}  // namespace postern::stagetest
