// What postern-scanq reads at its start and on SIGHUP.
#pragma once

#include <string>
#include <vector>

#include "lib/result.h"
#include "scanq/outputs.h"
#include "scanq/stages.h"

namespace postern {

struct ScanqSettings {
  std::vector<Stage> stages;
  std::vector<std::string> ours;  // domains
  Programs programs;
};

Result<ScanqSettings> read_scanq_settings();

}  // namespace postern
