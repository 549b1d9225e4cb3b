// TLSA records (RFC 6698, 7671) as SMTP uses them (RFC 7672 3.1): which of those that DNS has count.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "remote/tls_demand.h"

namespace postern {

// A record and what is said of it.
struct JudgedTlsa {
  std::string text;      // "3 1 1 HEX", printable
  std::string unusable;  // why it does not count; empty: it does
  Tlsa record;           // meaningful where it counts
};

// "USAGE SELECTOR MATCHING HEX" as postern-dnsq prints the data of a record; nothing for anything else.
std::optional<Tlsa> parse_tlsa(std::string_view data);
// "3 1 1 HEX".
std::string format_tlsa(const Tlsa& record);

// Why SMTP cannot use such a record; empty: it can.
std::string why_unusable(const Tlsa& record);

// All records of one RRset. Of several digests for one usage and selector only the strongest counts (RFC 7671
// 9), so that a weak one that is still there helps nobody; a full certificate or key counts beside it.
std::vector<JudgedTlsa> judge_tlsa(const std::vector<std::string>& data);

}  // namespace postern
