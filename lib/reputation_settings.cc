#include "lib/reputation_settings.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kNameBytes = 253;
constexpr size_t kLongestAddressName = 64;  // 32 nibbles with their dots
constexpr unsigned kV4Bits = 96;            // in front of an IPv4 address
constexpr uint64_t kMostCacheSeconds = 86400;
constexpr uint64_t kMostTimeoutMilliseconds = 30000;
constexpr uint64_t kLeastHalfLifeSeconds = 60;

Failure wrong(std::string_view file, size_t number, std::string_view line, const std::string& remedy) {
  return temporary(std::string(file) + ":" + std::to_string(number) + ": \"" + printable(line, 100) +
                       "\" is wrong; " + remedy,
                   55);
}

std::optional<uint32_t> v4_number(std::string_view text) {
  const std::optional<IpBytes> address = parse_ip(text);
  if (!address || !is_v4(*address) || text.find(':') != std::string_view::npos) return std::nullopt;
  uint32_t number = 0;
  for (size_t i = 12; i < address->size(); ++i) number = number << 8 | (*address)[i];
  return number;
}

bool is_zone(std::string_view text) {
  if (text.empty() || text.size() + kLongestAddressName > kNameBytes || text.front() == '.') return false;
  return text.find('.') != std::string_view::npos && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                  c == '.' || c == '_';
         });
}

// "127.0.0.2=-8", "127.0.0.4-127.0.0.7=-6", "*=-5"; what is wrong with it, else empty.
std::string parse_code(std::string_view word, ReturnCode& code) {
  const size_t equals = word.find('=');
  const std::string_view range = word.substr(0, equals);
  const std::optional<int> score =
      equals == std::string_view::npos ? std::nullopt : parse_tenths(word.substr(equals + 1));
  if (!score) return "write an answer of the list, = and a score from -10 to 10";
  code.score = *score;
  if (range == "*") {
    code.first = 0;
    code.last = UINT32_MAX;
    return {};
  }
  const size_t dash = range.find('-');
  const std::optional<uint32_t> first = v4_number(range.substr(0, dash));
  const std::optional<uint32_t> last =
      dash == std::string_view::npos ? first : v4_number(range.substr(dash + 1));
  if (!first || !last || *first > *last)
    return "write an IPv4 address, two of them with - between, or * in front of the =";
  code.first = *first;
  code.last = *last;
  return {};
}

std::string parse_weight(std::string_view text, int& weight) {
  const std::optional<int> tenths = parse_tenths(text);
  if (!tenths || *tenths < 0) return "write a weight from 0 to 10, like 0.5";
  weight = *tenths;
  return {};
}

std::string parse_list(const std::vector<std::string_view>& line, ReputationSettings& into) {
  DnsList list;
  if (line.size() < 3 || !is_zone(line[1])) return "write: list ZONE ANSWER=SCORE... [weight=NUMBER]";
  if (into.lists.size() == kMostLists) return "remove it: 32 lists are the most";
  list.zone = lower(line[1]);
  for (size_t i = 2; i < line.size(); ++i) {
    static constexpr std::string_view kWeight = "weight=";
    ReturnCode code;
    const bool is_weight = line[i].starts_with(kWeight);
    const std::string why =
        is_weight ? parse_weight(line[i].substr(kWeight.size()), list.weight) : parse_code(line[i], code);
    if (!why.empty()) return printable(line[i], 60) + ": " + why;
    if (!is_weight) list.codes.push_back(code);
  }
  if (list.codes.empty()) return "give an answer a score; write *=-5 for any";
  into.lists.push_back(std::move(list));
  return {};
}

std::string parse_history(const std::vector<std::string_view>& line, ReputationSettings& into) {
  static constexpr std::string_view kWeight = "weight=";
  static constexpr std::string_view kHalfLife = "half-life=";
  for (size_t i = 1; i < line.size(); ++i) {
    if (line[i].starts_with(kWeight)) {
      if (std::string why = parse_weight(line[i].substr(kWeight.size()), into.history_weight); !why.empty())
        return why;
    } else if (line[i].starts_with(kHalfLife)) {
      const std::optional<uint64_t> age = parse_age(line[i].substr(kHalfLife.size()));
      if (!age || *age < kLeastHalfLifeSeconds) return "write a half-life of a minute at least, like 7d";
      into.half_life_seconds = *age;
    } else {
      return "write: history [weight=NUMBER] [half-life=AGE]";
    }
  }
  return {};
}

std::string parse_line(const std::vector<std::string_view>& line, ReputationSettings& into) {
  if (line[0] == "list") return parse_list(line, into);
  if (line[0] == "history") return parse_history(line, into);
  if (line[0] == "cache" && line.size() == 2) {
    const std::optional<uint64_t> age = parse_age(line[1]);
    if (!age || *age > kMostCacheSeconds) return "write an age of a day at most, like 15m";
    into.cache_seconds = *age;
    return {};
  }
  if (line[0] == "timeout" && line.size() == 2) {
    const std::optional<uint64_t> milliseconds = parse_number(line[1]);
    if (!milliseconds || *milliseconds == 0 || *milliseconds > kMostTimeoutMilliseconds)
      return "write milliseconds, from 1 to 30000";
    into.timeout_milliseconds = *milliseconds;
    return {};
  }
  return "write list, history, cache or timeout in front; see postern-repd(8)";
}

// Lines of a table with their numbers, from 1; without comments and empty ones.
template <typename Take>
Result<void> for_each_line(std::string_view text, std::string_view file_name, Take take) {
  size_t number = 0;
  for (std::string_view line : split(text, '\n')) {
    ++number;
    const std::vector<std::string_view> parts = words(trim(line.substr(0, line.find('#'))));
    if (parts.empty()) continue;
    if (const std::string why = take(parts, number); !why.empty())
      return wrong(file_name, number, trim(line), why);
  }
  return {};
}

}  // namespace

std::optional<int> parse_tenths(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const size_t point = text.find('.');
  const std::string_view fraction =
      point == std::string_view::npos ? std::string_view("0") : text.substr(point + 1);
  const std::optional<uint64_t> whole = parse_number(text.substr(0, point));
  const std::optional<uint64_t> tenth = fraction.size() == 1 ? parse_number(fraction) : std::nullopt;
  if (whole.value_or(UINT64_MAX) > 10 || !tenth.has_value()) return std::nullopt;
  const int tenths = static_cast<int>(*whole * 10 + *tenth);
  if (tenths > kMostScore) return std::nullopt;
  return negative ? -tenths : tenths;
}

std::string tenths_text(int tenths) {
  const int size = std::abs(tenths);
  std::string text = (tenths < 0 ? "-" : "") + std::to_string(size / 10);
  if (size % 10 != 0) text += "." + std::to_string(size % 10);
  return text;
}

Result<ReputationSettings> parse_reputation_lists(std::string_view text, std::string_view file_name) {
  ReputationSettings settings;
  Result<void> done =
      for_each_line(text, file_name, [&](const std::vector<std::string_view>& line, size_t /*number*/) {
        return parse_line(line, settings);
      });
  if (!done) return done.failure();
  return settings;
}

Result<ReputationTable> ReputationTable::parse(std::string_view text, std::string_view file_name) {
  ReputationTable table;
  Result<void> done = for_each_line(
      text, file_name, [&](const std::vector<std::string_view>& line, size_t number) -> std::string {
        static const std::string kForm =
            "write ADDRESS SCORE or ADDRESS/BITS SCORE, the score from -10 to 10";
        const std::string_view network = line[0].substr(0, line[0].find('/'));
        const std::optional<IpBytes> address = parse_ip(network);
        const std::optional<int> score = line.size() == 2 ? parse_tenths(line[1]) : std::nullopt;
        if (!address || !score) return kForm;
        const unsigned before = network.find(':') == std::string_view::npos ? kV4Bits : 0;
        unsigned bits = 128;
        if (network.size() < line[0].size()) {
          const uint64_t said = parse_number(line[0].substr(network.size() + 1)).value_or(UINT64_MAX);
          if (said > 128 - before) return kForm;
          bits = before + static_cast<unsigned>(said);
        }
        if (ip_network(*address, bits) != *address)
          return "its address has bits behind the network's: write " + ip_text(ip_network(*address, bits));
        const bool is_new = table.networks_[bits].emplace(*address, Row{*score, number}).second;
        return is_new ? "" : "remove it, or the line for this network before it";
      });
  if (!done) return done.failure();
  return table;
}

std::optional<ReputationTable::Row> ReputationTable::find(const IpBytes& address) const {
  for (const auto& [bits, networks] : networks_) {
    const auto found = networks.find(ip_network(address, bits));
    if (found != networks.end()) return found->second;
  }
  return std::nullopt;
}

std::string list_name(const IpBytes& address, std::string_view zone) {
  std::string name;
  for (size_t i = address.size(); i-- > (is_v4(address) ? size_t{12} : size_t{0});) {
    if (is_v4(address)) {
      name += std::to_string(address[i]) + ".";
    } else {
      name.append(1, kHex[address[i] & 15]).append(".").append(1, kHex[address[i] >> 4]).append(".");
    }
  }
  return name.append(zone);
}

bool is_list_trouble(std::string_view answer) {
  const std::optional<uint32_t> number = v4_number(answer);
  return !number || *number >> 24 != 127 || *number >> 8 == 0x7fffff;
}

std::optional<int> worth_of(const DnsList& list, std::string_view answer) {
  const std::optional<uint32_t> number = v4_number(answer);
  for (const ReturnCode& code : list.codes) {
    if (number && code.first <= *number && *number <= code.last) return code.score;
  }
  return std::nullopt;
}

}  // namespace postern
