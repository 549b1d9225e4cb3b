#include "scanq/score.h"

#include <algorithm>

#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kWholeDigits = 6;
constexpr int64_t kThousand = 1000;
constexpr int64_t kMost = 999999999;  // what can be read again
constexpr size_t kSymbolsLimitBytes = 8192;

}  // namespace

std::optional<int64_t> parse_points(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const size_t point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  std::string_view part = point == std::string_view::npos ? std::string_view() : text.substr(point + 1);
  if (whole.empty() && part.empty()) return std::nullopt;
  if (whole.size() > kWholeDigits || part.size() > kWholeDigits) return std::nullopt;
  if (!part.empty() && !parse_number(part)) return std::nullopt;
  const std::optional<uint64_t> units = whole.empty() ? std::optional<uint64_t>(0) : parse_number(whole);
  if (!units) return std::nullopt;
  const std::string digits = std::string(part) + "000";
  const int64_t value =
      static_cast<int64_t>(*units) * kThousand + static_cast<int64_t>(*parse_number(digits.substr(0, 3)));
  return negative ? -value : value;
}

std::string format_points(int64_t thousandths) {
  const int64_t size = thousandths < 0 ? -thousandths : thousandths;
  std::string part = std::to_string(kThousand + size % kThousand).substr(1);
  while (part.ends_with('0')) part.pop_back();
  return (thousandths < 0 ? "-" : "") + std::to_string(size / kThousand) + (part.empty() ? "" : "." + part);
}

void add_score(Environment& environment, int64_t thousandths, std::string_view symbol) {
  const int64_t before = parse_points(environment.get_or("POSTERN_SCORE", "0")).value_or(0);
  environment.set("POSTERN_SCORE", format_points(std::clamp(before + thousandths, -kMost, kMost)));
  std::string symbols = environment.get_or("POSTERN_SYMBOLS", "");
  if (!symbols.empty()) symbols += ' ';
  symbols.append(symbol).append("=").append(format_points(thousandths));
  if (symbols.size() <= kSymbolsLimitBytes) environment.set("POSTERN_SYMBOLS", symbols);
}

}  // namespace postern
