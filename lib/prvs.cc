#include "lib/prvs.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>

#include "lib/parameters.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr unsigned kDayModulus = 1000;
constexpr uint64_t kSecondsPerDay = 86400;
constexpr size_t kLeastSecretBytes = 8;

std::string mac_of(std::string_view number_and_day, std::string_view address, std::string_view secret) {
  const std::string source = std::string(number_and_day) + std::string(address);
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned length = 0;
  HMAC(EVP_sha1(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(source.data()), source.size(), mac.data(), &length);
  return hexadecimal({reinterpret_cast<const char*>(mac.data()), 3});
}

std::string three_digits(unsigned number) {
  const std::string text = std::to_string(number);
  return std::string(3 - text.size(), '0') + text;
}

// "2026-11-22" to days since 1970 (the civil calendar, counted from March).
std::optional<uint64_t> parse_day(std::string_view text) {
  const std::vector<std::string_view> parts = split(text, '-');
  if (parts.size() != 3 || parts[0].size() != 4 || parts[1].size() != 2 || parts[2].size() != 2)
    return std::nullopt;
  const std::optional<uint64_t> year = parse_number(parts[0]);
  const std::optional<uint64_t> month = parse_number(parts[1]);
  const std::optional<uint64_t> day = parse_number(parts[2]);
  if (!year || !month || !day || *year < 1970 || *month < 1 || *month > 12 || *day < 1 || *day > 31)
    return std::nullopt;
  const uint64_t y = *month <= 2 ? *year - 1 : *year;
  const uint64_t day_of_year = (153 * (*month > 2 ? *month - 3 : *month + 9) + 2) / 5 + *day - 1;
  return y * 365 + y / 4 - y / 100 + y / 400 + day_of_year - 719468;
}

// What is wrong, empty when nothing is.
std::string take_key(const std::vector<std::string_view>& line, PrvsKey& key) {
  static constexpr std::string_view kForm =
      "a line is NUMBER SECRET, and \"until YYYY-MM-DD\" behind an old key";
  if (line.size() != 2 && line.size() != 4) return std::string(kForm);
  const std::optional<uint64_t> number = parse_number(line[0]);
  if (!number || *number > 9) return "the number of a key is one digit";
  if (line[1].size() < kLeastSecretBytes)
    return "the secret is too short; take " + std::to_string(kLeastSecretBytes) + " characters or more";
  key.number = static_cast<unsigned>(*number);
  key.secret = line[1];
  if (line.size() == 2) return {};
  const std::optional<uint64_t> day = parse_day(line[3]);
  if (line[2] != "until" || !day) return std::string(kForm);
  key.retired = *day + 1;
  return {};
}

}  // namespace

Result<std::vector<PrvsKey>> parse_prvs_keys(std::string_view text, std::string_view file_name) {
  std::vector<PrvsKey> keys;
  for (const ParameterLine& line : parameter_lines(text)) {
    PrvsKey key;
    const std::string why = take_key(line.words, key);
    if (!why.empty()) return parameter_failure(file_name, line, why);
    keys.push_back(std::move(key));
  }
  return keys;
}

std::string prvs_tagged(std::string_view address, const PrvsKey& key, uint64_t now_seconds) {
  const size_t at = address.rfind('@');
  if (at == std::string_view::npos || at == 0 || parse_prvs(address)) return {};
  if (kPrvsPrefix.size() + kPrvsValueBytes + 1 + at > kLocalPartLimit) return {};
  // The words around a quoted string would have to be inside it.
  if (address.starts_with('"')) return {};
  const uint64_t day = (now_seconds / kSecondsPerDay + kPrvsDays) % kDayModulus;
  const std::string front = std::to_string(key.number) + three_digits(static_cast<unsigned>(day));
  return std::string(kPrvsPrefix) + front + mac_of(front, address, key.secret) + "=" + std::string(address);
}

PrvsCheck check_prvs(std::string_view address, const std::vector<PrvsKey>& keys, uint64_t now_seconds) {
  using State = PrvsCheck::State;
  const std::optional<PrvsAddress> tagged = parse_prvs(address);
  if (keys.empty()) return {State::keyless, tagged ? tagged->address : std::string(address)};
  if (!tagged) return {State::untagged, std::string(address)};
  const uint64_t today = now_seconds / kSecondsPerDay;
  const std::string front = std::to_string(tagged->key) + three_digits(tagged->day);
  const bool expired = (tagged->day + kDayModulus - today % kDayModulus) % kDayModulus > kPrvsDays;
  const size_t at = tagged->address.rfind('@');
  const std::string with_lower_domain = tagged->address.substr(0, at) + lower(tagged->address.substr(at));
  for (const PrvsKey& key : keys) {
    if (key.number != tagged->key) continue;
    for (const std::string& said : {tagged->address, with_lower_domain, lower(tagged->address)}) {
      const std::string mac = mac_of(front, said, key.secret);
      if (CRYPTO_memcmp(mac.data(), tagged->mac.data(), std::min(mac.size(), tagged->mac.size())) != 0)
        continue;
      const bool key_is_old = key.retired && today >= *key.retired + kPrvsDays;
      return {expired || key_is_old ? State::expired : State::valid, tagged->address};
    }
  }
  return {State::forged, tagged->address};
}

std::string_view prvs_state_name(PrvsCheck::State state) {
  switch (state) {
    case PrvsCheck::State::untagged:
      return "untagged";
    case PrvsCheck::State::valid:
      return "valid";
    case PrvsCheck::State::expired:
      return "expired";
    case PrvsCheck::State::keyless:
      return "keyless";
    case PrvsCheck::State::forged:
      break;
  }
  return "forged";
}

}  // namespace postern
