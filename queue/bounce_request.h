// What send tells bounce on descriptor 3: NUL-ended records, one letter and a value each.
//
//   m MID   s SENDER   e ENVID   a ARRIVAL (seconds since 1970)   f or h: return the full message or its
//   headers r RECIPIENT, and behind it o ORCPT and d WHY for that recipient
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/result.h"

namespace postern {

struct FailedRecipient {
  std::string address;
  std::string orcpt;
  std::string why;  // as remote or local reported it
};

struct BounceRequest {
  uint64_t mid = 0;
  std::string sender;
  std::string envid;
  uint64_t arrival = 0;  // seconds since 1970
  bool full = false;
  std::vector<FailedRecipient> recipients;
};

std::string serialise_bounce_request(const BounceRequest& request);
Result<BounceRequest> parse_bounce_request(std::string_view bytes);

}  // namespace postern
