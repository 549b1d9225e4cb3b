// Macro strings of SPF (RFC 7208, 7): their grammar, and what they stand for.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "lib/spf_address.h"

namespace postern {

enum class SpfText : uint8_t {
  domain,       // of a mechanism or modifier: no blanks, and no %{c}, %{r}, %{t}
  explanation,  // what exp= leads to
};

struct SpfMacros {
  std::string local_part;
  std::string sender_domain;
  std::string domain;  // whose record is being evaluated
  std::string helo;
  SpfAddress ip;
  std::string receiver;  // our own name; "unknown" where it is empty
  // %{p}: a validated name of the address. Asked only where it stands in the text: it costs DNS questions.
  std::function<std::string()> validated_name;
};

bool is_spf_macro_string(std::string_view text, SpfText kind);
// A macro string that ends with a macro or with ".toplabel" (RFC 7208, 7.1).
bool is_spf_domain_spec(std::string_view text);

// Nothing when it is no macro string, or would grow beyond 64 KiB.
std::optional<std::string> expand_spf_macros(std::string_view text, SpfText kind, const SpfMacros& macros);
// A domain-spec as the name to ask for: without labels on its left where it is longer than 253 bytes.
std::optional<std::string> expand_spf_domain(std::string_view text, const SpfMacros& macros);

}  // namespace postern
