// The client's side of postern-stsd: the MTA-STS policy of a domain, for a delivery that does not wait long.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "remote/sts_answer.h"
#include "remote/sts_policy.h"

namespace postern {

// Asks `sts_program` (control/stsd; "none": nobody). Where it is away or slow, the policy in db/sts/ that
// still holds; else "failed": the delivery goes on as if there were none (RFC 8461 5.1). What failed is
// logged.
StsAnswer look_up_sts(const std::string& sts_program, std::string_view domain, int64_t deadline_milliseconds);

// What MTA-STS says for one delivery: asked when it is needed first, and once.
class StsOfDelivery {
 public:
  // "none" as `program`: there is no policy.
  StsOfDelivery(std::string program, std::string domain)
      : program_(std::move(program)), domain_(std::move(domain)) {}
  const StsAnswer& answer();

 private:
  std::string program_;
  std::string domain_;
  std::optional<StsAnswer> answer_;
};

// The same, for who needs only the policy.
std::optional<StsPolicy> sts_policy_of(const std::string& sts_program, std::string_view domain,
                                       int64_t deadline_milliseconds);

}  // namespace postern
