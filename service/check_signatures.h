// What postern-showctl says of the virus signatures: those that the running antivirus uses, as it reports
// them, and the files that they come from.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/result.h"
#include "service/signature_files.h"

namespace postern {

struct SignatureReport {
  std::vector<std::string> lines;
  std::vector<std::string> problems;  // "FILE: what is wrong; remedy"
};

Result<SignatureReport> check_signatures();

// The parts of it. `max_age_seconds` 0 is any age.
SignatureReport report_files(const std::string& directory, const std::vector<SignatureFile>& files,
                             uint64_t now, uint64_t max_age_seconds);
// From the resident's answer to `version`, lines "NAME VALUE": engine, signatures, version, made, loaded,
// directory, state; those that it does not say are left out.
SignatureReport report_resident(std::string_view answer, uint64_t now);

}  // namespace postern
