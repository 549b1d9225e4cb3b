// What can be said of a domain's MTA-STS policy from its DNS record and from what is known, without a fetch
// (RFC 8461 3.3, 5.1). remote decides so first, and asks postern-stsd only for a fetch: servers of policies
// that never answer then hold up nobody else's mail.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lib/result.h"
#include "remote/sts_answer.h"

namespace postern {

constexpr uint64_t kStsRetrySeconds = 300;  // after a failed fetch; RFC 8461 3.3 asks for five minutes
constexpr uint64_t kStsRefreshSeconds =
    86400;  // a policy in use is fetched anew so often, or at half its age

struct StsDecision {
  std::optional<StsAnswer> answer;  // nothing: the policy has to be fetched
  bool due = false;                 // the answer's policy is to be fetched anew, while nobody waits
  std::string id;                   // that the record announces
};

constexpr uint64_t kStsTouchSeconds = 3600;  // so often postern-stsd is told that what is known is in use

// `records`: those at _mta-sts.DOMAIN. `now`: seconds since 1970.
StsDecision decide_sts(const std::string& domain, const std::optional<StsEntry>& entry,
                       const Result<std::vector<std::string>>& records, uint64_t now);

// The policy that is known, where it holds; else that the last fetch failed.
StsAnswer sts_answer_of(const StsEntry& entry, uint64_t now);
// The same where nobody may wait for the fetch that goes on: a domain that has a policy which nobody could
// know yet is "pending" (`why`), and its mail waits for a short while. Not so behind a fetch that failed in
// the last day: else a server that never answers would keep mail for ever (RFC 8461 5.1).
StsAnswer sts_answer_meanwhile(const std::string& domain, const std::optional<StsEntry>& entry,
                               const std::string& why, uint64_t now);
bool sts_tried_lately(const StsEntry& entry, uint64_t now);
bool sts_to_be_touched(const StsEntry& entry, uint64_t now);
bool sts_is_due(const StsEntry& entry, uint64_t now);

}  // namespace postern
