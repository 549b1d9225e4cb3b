// How postern-stsd comes to its answer: the cache, the DNS record, the fetch (RFC 8461 3.3, 5.1).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/inner_addresses.h"
#include "lib/result.h"
#include "remote/sts_answer.h"
#include "remote/sts_cache.h"
#include "remote/sts_locks.h"

namespace postern {

constexpr int64_t kStsFetchMilliseconds = 60000;  // a whole fetch, DNS included

struct StsSettings {
  std::string dns_program = "@dnsq";         // control/dnsq
  std::string ca_path = "/etc/ssl/certs";    // control/tlscapath
  Networks inner{};                          // control/httpsinner
  uint16_t port = 443;                       // control/stsport: other than 443 only in tests
  unsigned most_fetches = 10;                // at a time, of all workers
  uint64_t most_domains = kStsCacheDomains;  // control/stsdomains
};
Result<StsSettings> read_sts_settings();

class StsLookup {
 public:
  StsLookup(StsSettings settings, std::string directory);

  // `domain` in any case; what is no domain has no policy. `now`: seconds since 1970. What is in the cache
  // and still good is answered at once, and so is that nobody else is waited for.
  StsAnswer look_up(std::string_view domain, uint64_t now);
  // Fetches anew what look_up found to be due, while nobody waits.
  void refresh(uint64_t now);

 private:
  StsAnswer fetch(StsEntry entry, const std::string& id, uint64_t now, int64_t deadline);
  Result<StsPolicy> fetch_policy(const std::string& domain, int64_t deadline, std::string& result);
  void keep(const StsEntry& entry);

  StsSettings settings_;
  StsCache cache_;
  StsLocks locks_;
  struct Due {
    std::string domain{};
    std::string id{};
  };
  std::vector<Due> due_{};
};

}  // namespace postern
