#include "lib/utf8.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kLabelLimitBytes = 63;

// RFC 3492, 5.
constexpr uint32_t kBase = 36;
constexpr uint32_t kLeast = 1;
constexpr uint32_t kMost = 26;
constexpr uint32_t kSkew = 38;
constexpr uint32_t kDamp = 700;
constexpr uint32_t kFirstBias = 72;
constexpr uint32_t kFirstNonAscii = 128;
constexpr uint32_t kNoCodePoint = UINT32_MAX;

uint32_t adapted_bias(uint32_t delta, uint32_t points, bool first) {
  delta = first ? delta / kDamp : delta / 2;
  delta += delta / points;
  uint32_t k = 0;
  for (; delta > ((kBase - kLeast) * kMost) / 2; k += kBase) delta /= kBase - kLeast;
  return k + (kBase - kLeast + 1) * delta / (delta + kSkew);
}

void append_number(std::string& out, uint32_t number, uint32_t bias) {
  const auto digit = [](uint32_t d) { return static_cast<char>(d < 26 ? 'a' + d : '0' + (d - 26)); };
  for (uint32_t k = kBase;; k += kBase) {
    const uint32_t threshold = k <= bias ? kLeast : k >= bias + kMost ? kMost : k - bias;
    if (number < threshold) break;
    out += digit(threshold + (number - threshold) % (kBase - threshold));
    number = (number - threshold) / (kBase - threshold);
  }
  out += digit(number);
}

// RFC 3492, 6.3. At most 63 code points below 2^21, so nothing overflows 32 bits.
std::string punycode(const std::vector<uint32_t>& points) {
  std::string out;
  for (const uint32_t point : points) {
    if (point < kFirstNonAscii) out += static_cast<char>(point);
  }
  const auto plain = static_cast<uint32_t>(out.size());
  uint32_t handled = plain;
  if (plain > 0) out += '-';
  uint32_t next = kFirstNonAscii;
  uint32_t delta = 0;
  uint32_t bias = kFirstBias;
  while (handled < points.size()) {
    uint32_t least = kNoCodePoint;
    for (const uint32_t point : points) {
      if (point >= next) least = std::min(least, point);
    }
    delta += (least - next) * (handled + 1);
    next = least;
    for (const uint32_t point : points) {
      if (point < next) ++delta;
      if (point != next) continue;
      append_number(out, delta, bias);
      bias = adapted_bias(delta, handled + 1, handled == plain);
      delta = 0;
      ++handled;
    }
    ++delta;
    ++next;
  }
  return out;
}

std::optional<std::string> a_label(std::string_view label) {
  if (!has_8bit_byte(label))
    return label.size() <= kLabelLimitBytes ? std::optional(lower(label)) : std::nullopt;
  const std::string lowered = lower(label);
  std::vector<uint32_t> points;
  for (std::string_view rest = lowered; !rest.empty();) {
    const std::optional<CodePoint> first = first_code_point(rest);
    if (!first || points.size() == kLabelLimitBytes) return std::nullopt;
    points.push_back(first->value);
    rest.remove_prefix(first->bytes);
  }
  std::string encoded = "xn--" + punycode(points);
  if (encoded.size() > kLabelLimitBytes) return std::nullopt;
  return encoded;
}

}  // namespace

bool has_8bit_byte(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) > 0x7f; });
}

std::optional<CodePoint> first_code_point(std::string_view text) {
  const auto byte = [&](size_t at) { return static_cast<uint32_t>(static_cast<unsigned char>(text[at])); };
  if (text.empty()) return std::nullopt;
  const uint32_t lead = byte(0);
  const size_t length = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if (length == 0 || lead > 0xf4 || text.size() < length) return std::nullopt;
  uint32_t value = length == 1 ? lead : lead & (0x7fU >> length);
  for (size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return std::nullopt;
    value = value << 6 | (byte(i) & 0x3fU);
  }
  const bool overlong = (length == 3 && value < 0x800) || (length == 4 && value < 0x10000);
  const bool surrogate = value >= 0xd800 && value <= 0xdfff;
  if (overlong || surrogate || value > 0x10ffff) return std::nullopt;
  return CodePoint{value, length};
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::optional<CodePoint> first = first_code_point(text);
    if (!first) return false;
    text.remove_prefix(first->bytes);
  }
  return true;
}

std::optional<std::string> to_a_labels(std::string_view domain) {
  std::string whole;
  bool first = true;
  for (const std::string_view label : split(domain, '.')) {
    const std::optional<std::string> encoded = a_label(label);
    if (!encoded) return std::nullopt;
    if (!first) whole += '.';
    whole += *encoded;
    first = false;
  }
  return whole;
}

}  // namespace postern
