// Are the arguments of a verb what Joint 4 says that they are?
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "scanq/stagetest_verbs.h"
#include "scanq/verdict.h"

namespace postern::stagetest {

// The rule of that verb; null when there is none.
const StageVerb* find_stage_verb(std::string_view verb);

// What is wrong with one argument, or nothing. `before` is the argument in front of it, `recipients` those of
// the envelope.
std::string argument_fault(ArgumentKind kind, std::string_view argument, std::string_view before,
                           const std::vector<std::string>& recipients);

struct ArgumentFault {
  ArgumentKind kind = ArgumentKind::text;
  std::string seen;  // empty: all of the line is well-formed
};
// The first argument of the line that is wrong; the number of arguments must be right.
ArgumentFault first_argument_fault(const StageVerb& rule, const VerdictLine& line,
                                   const std::vector<std::string>& recipients);

}  // namespace postern::stagetest
