// libclamav's engine, made so that it cannot find everything clean by mistake: the operator's signatures are
// counted, a signature of our own for the EICAR test file is added, and the engine must find that file before
// anybody gets it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "lib/result.h"
#include "scanq/antivirus_finding.h"
#include "scanq/antivirus_settings.h"

struct cl_engine;

namespace postern {

// What may still be spent on one message.
struct ScanBudget {
  uint64_t bytes = 0;                 // unpacked from its pieces
  int64_t deadline_milliseconds = 0;  // see now_milliseconds
};

class Engine {
 public:
  // Loads, counts, adds EICAR, compiles, tests. Each failure says the remedy.
  static Result<Engine> load(const EngineSettings& settings);

  // Scratch files go to `directory` from now on. Needed before the first scan: that of load() is gone.
  void use_scratch(const std::string& directory);
  // As the settings allow for one message, from now on.
  [[nodiscard]] ScanBudget budget() const;
  // Takes what it spends from `left`; the result is `spent` when there was nothing left.
  [[nodiscard]] ScanResult scan(std::string_view bytes, MailParser parser, ScanBudget& left) const;
  [[nodiscard]] unsigned signatures() const { return signatures_; }
  [[nodiscard]] uint64_t database_version() const;
  [[nodiscard]] static std::string library_version();

 private:
  struct Free {
    void operator()(cl_engine* engine) const;
  };
  Result<void> set_limits(const EngineSettings& settings);
  Result<void> add_eicar(const std::string& scratch);
  Result<void> test_itself() const;
  [[nodiscard]] ScanResult scan_for(std::string_view bytes, unsigned heuristics, MailParser parser,
                                    ScanBudget& left) const;
  std::unique_ptr<cl_engine, Free> engine_;
  unsigned signatures_ = 0;  // the operator's
  unsigned heuristics_ = 0;  // the operator's
  uint64_t max_file_bytes_ = 0;
  uint64_t max_scan_bytes_ = 0;
  uint64_t max_seconds_ = 0;
};

}  // namespace postern
