// MTA-STS (RFC 8461): the policy of a domain.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace postern {

struct StsPolicy {
  enum class Mode { none, testing, enforce };
  Mode mode = Mode::none;
  std::vector<std::string> mx;
  std::string id;
  uint64_t max_age = 0;
};

std::optional<StsPolicy> sts_policy_of(const std::string& sts_program, std::string_view domain,
                                       int64_t deadline);
bool sts_matches(const StsPolicy& policy, std::string_view mx_host);

}  // namespace postern
