// What is held back: under $POSTERN_HOME/quarantine one spool for each quarantine (lib/spool.h), so that a
// held message is as durable as a queued one. A mid stands in one quarantine at most: `show 482` never has to
// ask which.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/envelope.h"
#include "lib/environment.h"
#include "lib/fd.h"
#include "lib/result.h"
#include "lib/spool.h"

namespace postern {

constexpr size_t kQuarantineNameLimit = 64;
constexpr size_t kReasonLimit = 512;

// Letters, digits, blanks, - and _; no blank at the ends and no - in front; 64 at most. So it is always one
// plain directory's name, and an argument that cannot be taken for an option.
bool valid_quarantine_name(std::string_view name);

// What is kept with the message: the joints' variables without those that describe one request only, and
// where and why it is held (POSTERN_QUARANTINE, POSTERN_REASON).
Environment held_variables(const Environment& request, std::string_view quarantine, std::string_view reason);

struct HeldMessage {
  std::string quarantine;
  uint64_t mid = 0;
  Fd file;
};

class QuarantineStore {
 public:
  explicit QuarantineStore(std::string directory) : directory_(std::move(directory)) {}

  // Writes it durably; the mid that it has there, another than `wanted_mid` when that one is taken.
  // `still_wanted` is asked before anything is committed. Exit codes of the queue interface in the failure.
  Result<uint64_t> put(std::string_view quarantine, int message, const Envelope& envelope,
                       const Environment& kept, uint64_t wanted_mid,
                       const std::function<bool()>& still_wanted);

  // Did an earlier try of the work queue put it there (lib/taken_before.h)?
  Result<bool> put_before(std::string_view quarantine, uint64_t mid, const Environment& request,
                          const Envelope& envelope);

  // A permanent failure when it is in no quarantine.
  [[nodiscard]] Result<HeldMessage> find(uint64_t mid) const;
  // For this process alone, until `held` goes. Temporary failure: another process has it; permanent: it has
  // gone.
  [[nodiscard]] Result<void> lock(const HeldMessage& held) const;
  // Durably, too: what was deleted does not come back with the power.
  [[nodiscard]] Result<void> remove(const HeldMessage& held) const;

  // The quarantines that exist, sorted.
  [[nodiscard]] Result<std::vector<std::string>> names() const;
  // Mid and quarantine of all messages, or those of one quarantine when `only` is not empty; by mid.
  [[nodiscard]] Result<std::vector<std::pair<uint64_t, std::string>>> messages(std::string_view only) const;

 private:
  [[nodiscard]] Spool spool(std::string_view quarantine) const;
  Result<void> prepare(const std::string& quarantine);
  std::string directory_;
  std::vector<std::string> prepared_;  // whose directories this process knows to be on disk
};

}  // namespace postern
