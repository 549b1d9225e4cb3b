#include "remote/sts_decision.h"

#include <algorithm>

#include "remote/sts_policy.h"

namespace postern {

namespace {

constexpr uint64_t kFailureCountsSeconds = 86400;

// A policy that holds is not forgotten because its record is gone or cannot be had (RFC 8461 5.1): else who
// could suppress one DNS answer could take it away.
StsAnswer without_record(const std::optional<StsEntry>& entry, const std::string& domain, uint64_t now,
                         const Failure* why) {
  StsAnswer answer{.domain = domain};
  if (entry && entry->holds(now)) answer = sts_answer_of(*entry, now);
  if (why != nullptr) {
    answer.why = why->text;
    if (answer.outcome == StsAnswer::Outcome::none) answer.outcome = StsAnswer::Outcome::failed;
  }
  return answer;
}

}  // namespace

StsAnswer sts_answer_of(const StsEntry& entry, uint64_t now) {
  StsAnswer answer{.domain = entry.domain, .result = entry.result, .why = entry.why};
  answer.outcome = entry.holds(now) ? StsAnswer::Outcome::found : StsAnswer::Outcome::failed;
  if (!entry.holds(now)) return answer;
  answer.policy = entry.policy;
  answer.left = entry.fetched + entry.policy.max_age - now;
  return answer;
}

StsAnswer sts_answer_meanwhile(const std::string& domain, const std::optional<StsEntry>& entry,
                               const std::string& why, uint64_t now) {
  StsAnswer answer{.domain = domain, .outcome = StsAnswer::Outcome::pending};
  const bool failed_before = entry && !entry->result.empty() && now < entry->tried + kFailureCountsSeconds;
  if (entry && (entry->holds(now) || failed_before)) answer = sts_answer_of(*entry, now);
  answer.why = why;
  return answer;
}

bool sts_tried_lately(const StsEntry& entry, uint64_t now) {
  return !entry.result.empty() && entry.tried <= now && now - entry.tried < kStsRetrySeconds;
}

bool sts_to_be_touched(const StsEntry& entry, uint64_t now) {
  return now > entry.used && now - entry.used >= kStsTouchSeconds;
}

bool sts_is_due(const StsEntry& entry, uint64_t now) {
  const uint64_t age = now > entry.fetched ? now - entry.fetched : 0;
  return age >= std::min(kStsRefreshSeconds, entry.policy.max_age / 2) && !sts_tried_lately(entry, now);
}

StsDecision decide_sts(const std::string& domain, const std::optional<StsEntry>& entry,
                       const Result<std::vector<std::string>>& records, uint64_t now) {
  StsDecision decision;
  if (!records) {
    decision.answer = without_record(entry, domain, now, &records.failure());
    return decision;
  }
  decision.id = sts_id_of(*records);
  if (decision.id.empty()) {
    decision.answer = without_record(entry, domain, now, nullptr);
  } else if (entry && entry->holds(now) && entry->policy.id == decision.id) {
    decision.answer = sts_answer_of(*entry, now);
    decision.due = sts_is_due(*entry, now);
  } else if (entry && sts_tried_lately(*entry, now)) {
    decision.answer = sts_answer_of(*entry, now);
  }
  return decision;
}

}  // namespace postern
