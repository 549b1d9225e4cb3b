// What is wrong with an answer, by kind. Each kind has a case of its own that names it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "scanq/stagetest_run.h"

namespace postern::stagetest {

enum class Fault {
  not_asked,
  killed,
  late,
  exit_code,
  flood,
  cut,
  unreadable,
  chatter,
  unknown_verb,
  argument_count,
  argument_code,
  argument_field,
  argument_address,
  argument_name,
  argument_number,
  argument_host,
  unasked_output,
  missing_output,
  changed_message,
  changed_envelope,
  left_behind,
};

// The case that names the fault, what it demands, and the remedy.
struct FaultCase {
  Fault fault;
  std::string_view name;
  std::string_view demand;
  std::string_view remedy;
};
const std::vector<FaultCase>& fault_cases();
const FaultCase& case_of(Fault fault);

struct Finding {
  Fault fault;
  std::string seen;
};
// `recipients`: those of the envelope that was given. Exit code 111 makes the verdict void, so nothing of it
// is judged then but its length.
std::vector<Finding> findings_of(const Seen& seen, const std::vector<std::string>& recipients);

// "exit 0, 2 lines, 3 ms".
std::string summary_of(const Seen& seen);

// Two answers are the same when this is: the exit code and the verdict, without what may differ from one time
// to the next, the text of `log` and the time of `hold`.
std::string comparable(const Seen& seen);

}  // namespace postern::stagetest
