#include "receipt/rate_check.h"

#include <algorithm>
#include <array>
#include <optional>

#include "lib/ip_bytes.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kWords = 5;
constexpr std::string_view kDayWord = "day";
constexpr std::array<std::string_view, 3> kWhats = {"take", "look", "slot"};

Failure no_request(const std::string& why) {
  return permanent("read a question: " + why, 100);
}

std::optional<uint32_t> number_of(std::string_view text, uint64_t most) {
  const std::optional<uint64_t> number = parse_number(text);
  if (!number || *number > most) return std::nullopt;
  return static_cast<uint32_t>(*number);
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= kRateNameBytes && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

Result<RateCheck> parse_check(std::span<const std::string> parts) {
  RateCheck check;
  const auto what = std::find(kWhats.begin(), kWhats.end(), parts[0]);
  if (what == kWhats.end()) return no_request("a check begins with take, look or slot");
  check.what = static_cast<RateCheck::What>(what - kWhats.begin());
  if (!is_name(parts[1])) return no_request("the name of a limit is 1 to 32 of a-z, 0-9 and -");
  if (parts[2].empty() || parts[2].size() > kRateKeyBytes)
    return no_request("the key of a limit has 1 to 1024 bytes");
  const bool day = parts[3] == kDayWord;
  const std::optional<uint32_t> seconds = day ? kRateDay : number_of(parts[3], kMostRateSeconds);
  const std::optional<uint32_t> limit = number_of(parts[4], UINT32_MAX);
  if (!seconds || !limit) return no_request("SECONDS and LIMIT are numbers");
  const bool is_slot = check.what == RateCheck::What::slot;
  if (is_slot ? day || *seconds != 0 : !day && *seconds == 0)
    return no_request("a slot has 0 seconds, another check \"day\" or at least 1");
  check.name = parts[1];
  check.key = parts[2];
  check.seconds = *seconds;
  check.limit = *limit;
  return check;
}

}  // namespace

std::vector<std::string> rate_arguments(std::span<const RateCheck> checks) {
  std::vector<std::string> arguments{"ask"};
  arguments.reserve(1 + checks.size() * kWords);
  for (const RateCheck& check : checks) {
    const bool day = check.seconds == kRateDay && check.what != RateCheck::What::slot;
    arguments.emplace_back(kWhats[static_cast<size_t>(check.what)]);
    arguments.push_back(check.name);
    arguments.push_back(check.key);
    arguments.push_back(day ? std::string(kDayWord) : std::to_string(check.seconds));
    arguments.push_back(std::to_string(check.limit));
  }
  return arguments;
}

Result<std::vector<RateCheck>> parse_rate_arguments(std::span<const std::string> arguments) {
  if (arguments.size() <= kWords || arguments.front() != "ask" || (arguments.size() - 1) % kWords != 0 ||
      arguments.size() > 1 + kRateChecks * kWords)
    return no_request("it is ask, then 1 to 16 times WHAT NAME KEY SECONDS LIMIT");
  std::vector<RateCheck> checks;
  for (size_t at = 1; at < arguments.size(); at += kWords) {
    Result<RateCheck> check = parse_check(arguments.subspan(at, kWords));
    if (!check) return check.failure();
    checks.push_back(std::move(*check));
  }
  return checks;
}

std::string format_rate_answer(const RateAnswer& answer) {
  if (!answer.over) return "ok\n";
  return "over " + std::to_string(answer.check) + " " + std::to_string(answer.count) + "\n";
}

Result<RateAnswer> parse_rate_answer(std::string_view text, size_t checks) {
  if (text == "ok\n") return RateAnswer{};
  const std::vector<std::string_view> parts = words(trim(text));
  const bool over = text.ends_with('\n') && parts.size() == 3 && parts[0] == "over";
  const uint64_t check = over ? parse_number(parts[1]).value_or(UINT64_MAX) : UINT64_MAX;
  const uint64_t count = over ? parse_number(parts[2]).value_or(UINT64_MAX) : UINT64_MAX;
  if (check >= checks || count == UINT64_MAX)
    return temporary("read an answer: \"" + printable(text, 80) + "\" is none");
  return RateAnswer{.over = true, .check = check, .count = count};
}

std::string network_key(std::string_view ip, uint8_t bits_v4, uint8_t bits_v6) {
  std::optional<IpBytes> address = parse_ip(ip);
  if (!address) return std::string(ip);
  const bool v4 = is_v4(*address);
  const unsigned bits = v4 ? std::min<unsigned>(bits_v4, 32) : std::min<unsigned>(bits_v6, 128);
  return ip_text(ip_network(*address, v4 ? 96 + bits : bits)) + "/" + std::to_string(bits);
}

}  // namespace postern
