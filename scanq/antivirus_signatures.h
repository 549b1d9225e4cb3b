// The signatures in use, and how newer ones take their place: the next engine is loaded, counted and tested
// beside the present one, which goes only then.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "scanq/antivirus_engine.h"
#include "scanq/antivirus_settings.h"

namespace postern {

class Signatures {
 public:
  // `resident`: what happens is logged, and looked for again by the clock.
  explicit Signatures(bool resident);

  // At the start: always true, so that a resident without signatures stays up and says so to everybody who
  // asks. Later, called again: is there a new engine? After SIGHUP it is loaded in any case; by the clock
  // (SIGALRM, also from a worker) when the files have changed and then stood still for a second.
  bool load();

  [[nodiscard]] Engine* engine() { return engine_ ? &*engine_ : nullptr; }
  [[nodiscard]] const EngineSettings& settings() const { return settings_; }
  [[nodiscard]] const std::string& why_not() const { return why_not_; }
  [[nodiscard]] std::string doing() const;
  // What is wrong with their age, when that is to keep mail waiting; empty: nothing.
  [[nodiscard]] std::string too_old_to_use() const;
  // Lines `NAME VALUE` for whoever asks about them.
  [[nodiscard]] std::string describe() const;
  // One line as clamd says it: ClamAV 1.4.6/27000/Sun Nov 22 10:00:00 2026.
  [[nodiscard]] std::string banner() const;

 private:
  // Shared with the workers, which were forked before the parent learns of a problem.
  struct Shared;

  bool load_if_needed(bool by_clock);
  bool is_time(bool by_clock, uint64_t fingerprint);
  bool keep_what_we_have(const std::string& directory, std::string why);
  void look_again_later() const;
  void warn_of_age();
  [[nodiscard]] std::string age_problem() const;
  void tell_workers(const std::string& problem);

  bool resident_;
  bool started_ = false;
  EngineSettings settings_;
  std::optional<Engine> engine_;
  SignatureFiles files_;           // that the engine was made from
  uint64_t loaded_ = 0;            // seconds since 1970
  uint64_t seen_fingerprint_ = 0;  // at the last look
  bool settling_ = false;          // they have just changed: look again in a moment
  unsigned failures_ = 0;          // loads one after another; 0: the engine is what the files ask for
  int64_t retry_at_ = 0;           // milliseconds
  uint64_t warned_of_age_ = 0;     // seconds since 1970
  std::string why_not_;
  Shared* shared_ = nullptr;
};

}  // namespace postern
