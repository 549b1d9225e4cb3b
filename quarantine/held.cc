#include "quarantine/held.h"

#include <xxhash.h>

#include <algorithm>

#include "lib/fd.h"
#include "lib/quarantine_name.h"
#include "lib/text.h"
#include "quarantine/quarantine_list.h"

namespace postern::quarantine {

namespace {

constexpr size_t kHeaderLimitBytes = 64 * 1024;  // where the subject is looked for
constexpr std::string_view kQuarantine = "POSTERN_QUARANTINE";
constexpr std::string_view kReason = "POSTERN_REASON";

// "" for the first one, "_2" for the second.
std::string numbered(std::string_view name, size_t index) {
  return std::string(name) + (index == 0 ? "" : "_" + std::to_string(index + 1));
}

bool is_numbered(std::string_view variable, std::string_view name) {
  if (!variable.starts_with(name)) return false;
  variable.remove_prefix(name.size());
  return variable.empty() || (variable.starts_with("_") && parse_number(variable.substr(1)));
}

}  // namespace

bool HeldRow::held_in(std::string_view quarantine) const {
  return std::any_of(memberships.begin(), memberships.end(),
                     [&](const Membership& one) { return one.quarantine == quarantine && !one.released; });
}

std::vector<std::string> HeldRow::holders() const {
  std::vector<std::string> names;
  for (const Membership& one : memberships) {
    if (!one.released) names.push_back(one.quarantine);
  }
  return names;
}

bool is_store_variable(std::string_view name) {
  return is_numbered(name, kQuarantine) || is_numbered(name, kReason) || name == "POSTERN_HOLD_UNTIL";
}

Environment held_variables(const Environment& request, const std::vector<Placement>& placements) {
  Environment kept;
  const Environment of_message = message_variables(request);
  for (const auto& [name, value] : of_message.pairs()) {
    if (!is_store_variable(name) || name == "POSTERN_HOLD_UNTIL") kept.set(name, value);
  }
  for (size_t i = 0; i < placements.size(); ++i) {
    kept.set(numbered(kQuarantine, i), placements[i].quarantine);
    kept.set(numbered(kReason, i), placements[i].reason.substr(0, kReasonLimit));
  }
  return kept;
}

std::vector<Placement> placements_of(const Environment& kept) {
  std::vector<Placement> placements;
  for (size_t i = 0; i < kMembershipLimit; ++i) {
    const std::optional<std::string_view> name = kept.get(numbered(kQuarantine, i));
    if (!name) break;
    const bool twice = std::any_of(placements.begin(), placements.end(),
                                   [&](const Placement& one) { return one.quarantine == *name; });
    if (is_quarantine_name(*name) && !twice)
      placements.push_back(
          {std::string(*name), kept.get_or(numbered(kReason, i), "").substr(0, kReasonLimit)});
  }
  return placements;
}

std::vector<Membership> memberships_of(const std::vector<Placement>& placements, const Environment& kept,
                                       uint64_t entered, const std::vector<QuarantineSettings>& settings) {
  const std::optional<uint64_t> until = parse_number(kept.get_or("POSTERN_HOLD_UNTIL", ""));
  std::vector<Membership> memberships;
  for (const Placement& placement : placements) {
    Membership one{.quarantine = placement.quarantine, .reason = placement.reason, .entered = entered};
    const auto setting = std::find_if(settings.begin(), settings.end(), [&](const QuarantineSettings& each) {
      return each.name == placement.quarantine;
    });
    // The time of `hold` is not for what others hold the message for.
    if (until && placement.quarantine == kHoldQuarantine) {
      one.expires = std::min(*until, entered / 1000000 + kLongestAgeSeconds);
    } else if (setting != settings.end() && setting->retention_seconds != 0) {
      one.expires = entered / 1000000 + setting->retention_seconds;
      one.deletes = setting->deletes;
    }
    memberships.push_back(std::move(one));
  }
  std::sort(memberships.begin(), memberships.end(),
            [](const Membership& a, const Membership& b) { return a.quarantine < b.quarantine; });
  return memberships;
}

uint64_t envelope_digest(const Envelope& envelope) {
  const std::string bytes = serialise_envelope(envelope) + serialise_extras(envelope);
  return XXH3_64bits(bytes.data(), bytes.size());
}

Result<HeldRow> row_of_file(int fd, uint64_t mid, const std::vector<QuarantineSettings>& settings) {
  Result<QueuedMessage> queued = read_queue_file(fd);
  if (!queued) return queued.failure();
  const size_t length = std::min<uint64_t>(queued->message_size, kHeaderLimitBytes);
  Result<std::string> header = pread_string(fd, 0, length, "read the header");
  if (!header) return header.failure();
  HeldRow row{.mid = mid, .born = queued->born, .size = queued->message_size};
  row.digest = envelope_digest(queued->envelope);
  row.sender = queued->envelope.sender;
  for (const Recipient& recipient : queued->envelope.recipients) row.recipients.push_back(recipient.address);
  row.subject = header_value(*header, "subject").substr(0, kSubjectLimit);
  row.memberships = memberships_of(placements_of(queued->kept), queued->kept, queued->born, settings);
  row.kept = std::move(queued->kept);
  if (row.memberships.empty()) return permanent("nothing in its file says which quarantine holds it");
  return row;
}

}  // namespace postern::quarantine
