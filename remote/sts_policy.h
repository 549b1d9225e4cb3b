// MTA-STS (RFC 8461): the policy of a domain, the DNS record that says that there is one, and whether a mail
// host is one of those that the policy names. Both texts are a stranger's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/result.h"

namespace postern {

constexpr size_t kStsTextLimitBytes = 64 * 1024;  // RFC 8461 3.3 lets us bound it
constexpr size_t kStsMxLimit = 200;  // so that an answer always fits into a packet (kReplyLimitBytes)
constexpr uint64_t kStsLongestAgeSeconds = 31557600;  // RFC 8461 3.2: a year

struct StsPolicy {
  enum class Mode { none, testing, enforce };
  Mode mode = Mode::none;
  std::vector<std::string> mx{};  // "mx.example.net", or "*.example.net"; lower case
  std::string id{};               // of the DNS record that it was fetched for
  uint64_t max_age = 0;           // seconds from when it was fetched
};

std::string_view sts_mode_word(StsPolicy::Mode mode);

// The text of mta-sts.txt, whose id it does not tell. The failure (permanent) says what is wrong: then there
// is no policy.
Result<StsPolicy> parse_sts_policy(std::string_view text);
// The lines of a policy as RFC 8460 4.4 wants to see them ("version: STSv1", "mode: enforce", ...).
std::vector<std::string> sts_policy_lines(const StsPolicy& policy);

// Is the host named by the policy? "*." stands for one label (RFC 8461 4.1).
bool sts_matches(const StsPolicy& policy, std::string_view mx_host);

// A domain in A-labels that a policy can be asked for, and a name that is no other file in a directory.
bool is_policy_domain(std::string_view domain);

// The id in the TXT records at _mta-sts.DOMAIN; empty when they announce no policy (RFC 8461 3.1).
std::string sts_id_of(const std::vector<std::string>& records);

}  // namespace postern
