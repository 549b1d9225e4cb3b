#include "remote/tlsa.h"

#include <algorithm>
#include <array>

#include "lib/text.h"

namespace postern {

namespace {

constexpr unsigned kFull = 0;  // matching type: the certificate or key itself
constexpr size_t kShownBytes = 400;

// Of the digests, by matching type; the higher number is the stronger one.
constexpr std::array<size_t, 3> kDigestBytes = {0, 32, 64};

std::optional<std::string> bytes_of(std::string_view hex) {
  if (hex.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  for (size_t i = 0; i < hex.size(); i += 2) {
    const size_t high = kHex.find(lower(hex.substr(i, 1)));
    const size_t low = kHex.find(lower(hex.substr(i + 1, 1)));
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    bytes += static_cast<char>(high << 4 | low);
  }
  return bytes;
}

// One DER SEQUENCE and nothing behind it, as a certificate and a public key are. What is in it is for the TLS
// library to read.
bool is_der_sequence(std::string_view bytes) {
  if (bytes.size() < 2 || bytes.front() != '\x30') return false;
  size_t length = static_cast<unsigned char>(bytes[1]);
  bytes.remove_prefix(2);
  if (length >= 0x80) {
    const size_t digits = length - 0x80;
    if (digits == 0 || digits > 4 || bytes.size() < digits) return false;
    length = 0;
    for (const char c : bytes.substr(0, digits)) length = length << 8 | static_cast<unsigned char>(c);
    bytes.remove_prefix(digits);
  }
  return length > 0 && bytes.size() == length;
}

}  // namespace

std::optional<Tlsa> parse_tlsa(std::string_view data) {
  const std::vector<std::string_view> part = words(data);
  if (part.size() < 3) return std::nullopt;
  std::array<unsigned, 3> numbers{};
  for (size_t i = 0; i < numbers.size(); ++i) {
    const std::optional<uint64_t> number = parse_number(part[i]);
    if (!number || *number > 255) return std::nullopt;
    numbers.at(i) = static_cast<unsigned>(*number);
  }
  std::string hex;
  for (size_t i = 3; i < part.size(); ++i) hex += part[i];
  std::optional<std::string> bytes = bytes_of(hex);
  if (!bytes) return std::nullopt;
  return Tlsa{numbers[0], numbers[1], numbers[2], std::move(*bytes)};
}

std::string format_tlsa(const Tlsa& record) {
  return std::to_string(record.usage) + " " + std::to_string(record.selector) + " " +
         std::to_string(record.matching) + " " + hexadecimal(record.data);
}

std::string why_unusable(const Tlsa& record) {
  if (record.usage < 2)
    return "usage " + std::to_string(record.usage) + " needs public CAs, which SMTP does not go by";
  if (record.usage > 3) return "usage " + std::to_string(record.usage) + " is not known";
  if (record.selector > 1) return "selector " + std::to_string(record.selector) + " is not known";
  if (record.matching >= kDigestBytes.size())
    return "matching type " + std::to_string(record.matching) + " is not known";
  if (record.matching == kFull) {
    if (is_der_sequence(record.data)) return {};
    return record.selector == 0 ? "its data is no certificate" : "its data is no public key";
  }
  const size_t expected = kDigestBytes.at(record.matching);
  if (record.data.size() == expected) return {};
  return "its digest has " + std::to_string(record.data.size()) + " bytes instead of " +
         std::to_string(expected);
}

std::vector<JudgedTlsa> judge_tlsa(const std::vector<std::string>& data) {
  std::vector<JudgedTlsa> all;
  for (const std::string& text : data) {
    JudgedTlsa judged;
    judged.text = printable(text, kShownBytes);
    if (std::optional<Tlsa> record = parse_tlsa(text)) {
      judged.record = std::move(*record);
      judged.unusable = why_unusable(judged.record);
    } else {
      judged.unusable = "it cannot be read";
    }
    all.push_back(std::move(judged));
  }
  // Digest agility, among those that count by themselves: one that is broken sets none aside.
  std::vector<unsigned> strongest(all.size(), kFull);
  for (size_t i = 0; i < all.size(); ++i) {
    for (const JudgedTlsa& other : all) {
      const Tlsa& record = all[i].record;
      if (other.unusable.empty() && other.record.usage == record.usage &&
          other.record.selector == record.selector)
        strongest[i] = std::max(strongest[i], other.record.matching);
    }
  }
  for (size_t i = 0; i < all.size(); ++i) {
    if (!all[i].unusable.empty() || all[i].record.matching == kFull) continue;
    if (all[i].record.matching < strongest[i])
      all[i].unusable = "there is a stronger digest for its usage and selector";
  }
  return all;
}

}  // namespace postern
