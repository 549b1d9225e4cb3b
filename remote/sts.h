// The client's side of postern-stsd: the MTA-STS policy of a domain, for a delivery that does not wait long.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "remote/sts_answer.h"
#include "remote/sts_policy.h"

namespace postern {

struct StsPrograms {
  std::string sts;  // control/stsd; "none": there are no policies
  std::string dns;  // control/dnsq
};

// Looks at the DNS record and at db/sts/, and asks postern-stsd only where a policy has to be fetched. Where
// that is away or slow, the policy of before, if it holds; else, where it is away or the last fetch failed,
// "failed": the delivery goes on as if there were none (RFC 8461 5.1); else "pending": the delivery is to be
// tried again. What failed is logged.
StsAnswer look_up_sts(const StsPrograms& programs, std::string_view domain, int64_t deadline_milliseconds);

// What MTA-STS says for one delivery: asked when it is needed first, and once.
class StsOfDelivery {
 public:
  StsOfDelivery(StsPrograms programs, std::string domain)
      : programs_(std::move(programs)), domain_(std::move(domain)) {}
  const StsAnswer& answer();

 private:
  StsPrograms programs_;
  std::string domain_;
  std::optional<StsAnswer> answer_;
};

}  // namespace postern
