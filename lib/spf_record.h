// SPF records (RFC 7208, 4.5, 4.6, 5, 6 and 12): their grammar, checked whole before anything is evaluated.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/result.h"
#include "lib/spf_address.h"

namespace postern {

enum class SpfMechanism : uint8_t { all, include, a, mx, ptr, ip4, ip6, exists };

struct SpfTerm {
  char qualifier = '+';
  SpfMechanism mechanism = SpfMechanism::all;
  std::string domain_spec;  // macros not expanded; empty: the domain itself
  unsigned prefix4 = 32;
  unsigned prefix6 = 128;
  SpfAddress network;  // of ip4 and ip6
  std::string text;    // as it was written
};

struct SpfRecord {
  std::vector<SpfTerm> terms;
  std::optional<std::string> redirect;     // domain-specs
  std::optional<std::string> explanation;  // exp=
};

// Is it meant to be one: "v=spf1" and then a blank or nothing.
bool is_spf_record(std::string_view text);
// The failure (permanent) names the term that breaks the grammar.
Result<SpfRecord> parse_spf_record(std::string_view text);

}  // namespace postern
