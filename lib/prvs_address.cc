#include "lib/prvs_address.h"

#include <algorithm>

#include "lib/text.h"

namespace postern {

namespace {

bool is_value(std::string_view text) {
  if (text.size() != kPrvsValueBytes) return false;
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  const auto hex = [&](char c) { return digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); };
  return std::all_of(text.begin(), text.begin() + 4, digit) && std::all_of(text.begin() + 4, text.end(), hex);
}

// Cisco's guides show tags of other letters than hexadecimal ones: enough to know that there is a tag.
bool looks_like_value(std::string_view text) {
  if (text.size() != kPrvsValueBytes) return false;
  return std::all_of(text.begin(), text.end(),
                     [](char c) {
                       return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
                     }) &&
         std::all_of(text.begin(), text.begin() + 3, [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

std::optional<PrvsAddress> parse_prvs(std::string_view address) {
  const size_t at = address.rfind('@');
  if (at == std::string_view::npos ||
      !equal_ignoring_case(address.substr(0, kPrvsPrefix.size()), kPrvsPrefix))
    return std::nullopt;
  const std::string_view rest = address.substr(kPrvsPrefix.size(), at - kPrvsPrefix.size());
  const size_t first = rest.find('=');
  const size_t last = rest.rfind('=');
  if (first == std::string_view::npos) return std::nullopt;
  std::string_view value = rest.substr(0, first);
  std::string_view user = rest.substr(first + 1);
  if (!is_value(value)) {
    value = rest.substr(last + 1);
    user = rest.substr(0, last);
    if (!looks_like_value(value)) return std::nullopt;
  }
  if (user.empty()) return std::nullopt;
  PrvsAddress parsed;
  parsed.address = std::string(user) + std::string(address.substr(at));
  if (!is_value(value)) {
    parsed.key = 10;  // nobody's
    return parsed;
  }
  parsed.key = static_cast<unsigned>(value[0] - '0');
  parsed.day = static_cast<unsigned>(*parse_number(value.substr(1, 3)));
  parsed.mac = lower(value.substr(4));
  return parsed;
}

}  // namespace postern
