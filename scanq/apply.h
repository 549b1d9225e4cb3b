// What a stage's verdict does to a part.
#pragma once

#include <string_view>
#include <vector>

#include "lib/result.h"
#include "scanq/part.h"
#include "scanq/verdict.h"

namespace postern {

struct Applied {
  Part part;                        // as the verdict leaves it
  std::vector<Part> split_off;      // each goes through the stages behind this one on its own
  std::vector<Output> copies;       // what goes out beside the message: bcc, notify, archive, copy-quarantine
  std::vector<std::string> events;  // to be logged when the verdict counts
};

// Lines take effect one after the other: what is split off is the message as the lines before made it, and
// lines behind `split` are for what stays. Only of header edits and `message` between two `split` the message
// comes first. A failure is a failure of the stage: `part` is as it was.
Result<Applied> apply_verdict(const Part& part, std::string_view stage, const std::vector<VerdictLine>& lines,
                              Fd output);

// Why a part is where it is, by the last line of a verdict that says so; empty when none does.
std::string reason_in(const std::vector<VerdictLine>& lines);

}  // namespace postern
