// A held message as the store's index has it: one row, and a membership for each quarantine that holds it.
// All of it but what operators have done since can be made again from the message's file.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/environment.h"
#include "lib/quarantine_settings.h"
#include "lib/queue_file.h"
#include "lib/result.h"

namespace postern::quarantine {

constexpr size_t kReasonLimit = 512;
constexpr size_t kSubjectLimit = 500;

struct Placement {
  std::string quarantine{};
  std::string reason{};
};

struct Membership {
  std::string quarantine{};
  std::string reason{};
  uint64_t entered = 0;   // microseconds since 1970
  uint64_t expires = 0;   // seconds since 1970; 0: never
  bool deletes = false;   // what happens then; else it is released from here
  bool released = false;  // from here, while others still hold it
};

struct HeldRow {
  uint64_t mid = 0;
  uint64_t born = 0;    // microseconds since 1970
  uint64_t digest = 0;  // of the envelope
  uint64_t size = 0;    // bytes
  std::string sender{};
  std::vector<std::string> recipients{};
  std::string subject{};
  Environment kept{};
  uint64_t new_mid = 0;                   // under which a release hands it on; the same for each try of it
  bool releasing = false;                 // a release was begun, and nobody has heard how it ended
  std::string exemption{};                // "STAGE VERDICT" for when it is released
  std::vector<Membership> memberships{};  // by name

  [[nodiscard]] bool held_in(std::string_view quarantine) const;
  // Where it is held and not yet released from.
  [[nodiscard]] std::vector<std::string> holders() const;
};

// What is kept in the file: the joints' variables without those that describe one request only, and where
// and why it is held: POSTERN_QUARANTINE and POSTERN_REASON, with _2, _3 … for further quarantines.
Environment held_variables(const Environment& request, const std::vector<Placement>& placements);
// The same back; empty when the variables name no valid quarantine.
std::vector<Placement> placements_of(const Environment& kept);
// Is it a variable of the store itself, which goes with no message that leaves it?
bool is_store_variable(std::string_view name);

// Expiry and action by POSTERN_HOLD_UNTIL of the kept variables, else by the settings.
std::vector<Membership> memberships_of(const std::vector<Placement>& placements, const Environment& kept,
                                       uint64_t entered, const std::vector<QuarantineSettings>& settings);

uint64_t envelope_digest(const Envelope& envelope);

// The row of a file of the store; a permanent failure when nothing in it says where it is held.
Result<HeldRow> row_of_file(int fd, uint64_t mid, const std::vector<QuarantineSettings>& settings);

}  // namespace postern::quarantine
