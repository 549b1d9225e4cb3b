// libclamav's engine, made so that it cannot find everything clean by mistake: the operator's signatures are
// counted, a signature of our own for the EICAR test file is added, and the engine must find that file before
// anybody gets it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "lib/result.h"

struct cl_engine;

namespace postern {

struct EngineSettings {
  std::string directory;        // of the signatures: control/clamdb
  uint64_t max_scan_bytes = 0;  // control/avmaxscansize: unpacked, of all that is in one message
  uint64_t max_file_bytes = 0;  // control/avmaxfilesize: of one file in it
  uint64_t max_seconds = 0;     // control/avmaxscantime: for each scan
  uint64_t check_seconds = 0;   // control/avcheck: how often the directory is looked at
};
Result<EngineSettings> read_engine_settings();

// Changes whenever a file of the directory does, comes or goes; 0 when it cannot be read.
uint64_t signature_fingerprint(const std::string& directory);

enum class Finding { clean, infected, unscannable };

struct ScanResult {
  Finding finding = Finding::clean;
  std::string what;  // the virus's name, or why it could not be scanned to the end
};

class Engine {
 public:
  // Loads, counts, adds EICAR, compiles, tests. Each failure says the remedy.
  static Result<Engine> load(const EngineSettings& settings);

  // Scratch files go to `directory` from now on. Needed before the first scan: that of load() is gone.
  void use_scratch(const std::string& directory);
  [[nodiscard]] ScanResult scan(std::string_view bytes) const;
  [[nodiscard]] unsigned signatures() const { return signatures_; }
  [[nodiscard]] uint64_t database_version() const;

 private:
  struct Free {
    void operator()(cl_engine* engine) const;
  };
  Result<void> add_eicar(const std::string& scratch);
  Result<void> test_itself() const;
  std::unique_ptr<cl_engine, Free> engine_;
  unsigned signatures_ = 0;  // the operator's
};

}  // namespace postern
