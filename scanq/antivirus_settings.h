// The settings of the engine, the directory of signatures, and what that holds.
#pragma once

#include <cstdint>
#include <string>

#include "lib/result.h"

namespace postern {

// avmaxfilesize is at least this: libclamav unpacks by blocks of so many bytes, and below it nothing.
constexpr uint64_t kLeastFileBytes = 8192;

struct EngineSettings {
  std::string directory;         // of the signatures: control/clamdb
  uint64_t max_scan_bytes = 0;   // control/avmaxscansize: unpacked, of all that is in one message
  uint64_t max_file_bytes = 0;   // control/avmaxfilesize: of one file in it
  uint64_t max_recursion = 0;    // control/avmaxrecursion: archives inside each other
  uint64_t max_files = 0;        // control/avmaxfiles: in one archive
  uint64_t max_seconds = 0;      // control/avmaxscantime: for all scans of one message
  uint64_t check_seconds = 0;    // control/avcheck: how often the directory is looked at
  uint64_t min_signatures = 0;   // control/avminsignatures: a set with fewer is not used
  uint64_t max_age_seconds = 0;  // control/avmaxage: 0 is any age
  bool stale_is_error = false;   // control/avstale: what older signatures do, `error` or `warn`
  unsigned heuristics = 0;       // control/avheuristics: libclamav's bits
};
Result<EngineSettings> read_engine_settings();

struct SignatureFiles {
  // Changes whenever a file of signatures does, comes or goes; 0 when the directory cannot be read. Other
  // files do not count, so neither does what freshclam has not finished.
  uint64_t fingerprint = 0;
  // When the newest was made, in seconds since 1970: the time in the head of daily.cvd and its like; where
  // there is none of these, the time of the youngest file. 0: unknown.
  uint64_t date = 0;
};
SignatureFiles look_at_signatures(const std::string& directory);

}  // namespace postern
