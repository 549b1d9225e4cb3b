#include "lib/destinations.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "lib/control.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr unsigned kMostConnections = 10000;
constexpr unsigned kMostMessages = 100000;
constexpr unsigned kMostRecipients = 10000000;

template <typename Value>
using Words = std::pair<std::string_view, Value>;

constexpr std::array<Words<TlsLevel>, 11> kLevels = {{
    {"off", TlsLevel::off},
    {"may", TlsLevel::may},
    {"encrypt", TlsLevel::encrypt},
    {"dane", TlsLevel::dane},
    {"dane-only", TlsLevel::dane_only},
    {"verify", TlsLevel::verify},
    {"secure", TlsLevel::secure},
    {"none", TlsLevel::off},  // Postfix's word for it
    {"on", TlsLevel::may},
    {"required", TlsLevel::encrypt},
    {"required_verify", TlsLevel::verify},
}};
constexpr std::array<Words<IpSort>, 4> kSorts = {{{"prefer_v6", IpSort::prefer_v6},
                                                  {"require_v6", IpSort::require_v6},
                                                  {"prefer_v4", IpSort::prefer_v4},
                                                  {"require_v4", IpSort::require_v4}}};
constexpr std::array<Words<LimitType>, 4> kLimitTypes = {
    {{"host", LimitType::host}, {"mxip", LimitType::mx_ip}, {"0", LimitType::host}, {"1", LimitType::mx_ip}}};
constexpr std::array<Words<LimitApply>, 4> kLimitApplies = {{{"system", LimitApply::system},
                                                             {"vg", LimitApply::virtual_gateway},
                                                             {"0", LimitApply::system},
                                                             {"1", LimitApply::virtual_gateway}}};
constexpr std::array<Words<bool>, 6> kSwitches = {
    {{"on", true}, {"off", false}, {"yes", true}, {"no", false}, {"1", true}, {"0", false}}};

// What is wrong, empty when nothing is.
template <typename Value, size_t kSize>
std::string choose(const std::array<Words<Value>, kSize>& words, std::string_view text, Value& into) {
  const auto found = std::find_if(words.begin(), words.end(),
                                  [&](const auto& word) { return equal_ignoring_case(word.first, text); });
  if (found != words.end()) {
    into = found->second;
    return {};
  }
  std::string known;
  for (const auto& word : words) known.append(known.empty() ? "" : ", ").append(word.first);
  return "it is one of " + known;
}

std::string number(std::string_view text, unsigned least, unsigned most, unsigned& into) {
  const std::optional<uint64_t> value = parse_number(text);
  if (!value || *value < least || *value > most)
    return "it is a number from " + std::to_string(least) + " to " + std::to_string(most);
  into = static_cast<unsigned>(*value);
  return {};
}

std::string name(std::string_view text, std::string& into) {
  const bool good = std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
  });
  if (!good) return "it is a name of A-Z, a-z, 0-9, - and _";
  into = text;
  return {};
}

struct Parameter {
  std::string_view name;
  std::string (*set)(std::string_view value, Destination& into);
};
constexpr std::array kParameters = {
    Parameter{"ip_sort_pref",
              [](std::string_view v, Destination& d) { return choose(kSorts, v, d.ip_sort_pref); }},
    Parameter{"max_host_concurrency",
              [](std::string_view v, Destination& d) {
                return number(v, 1, kMostConnections, d.max_host_concurrency);
              }},
    Parameter{"max_messages_per_connection",
              [](std::string_view v, Destination& d) {
                return number(v, 1, kMostMessages, d.max_messages_per_connection);
              }},
    Parameter{
        "recipient_limit",
        [](std::string_view v, Destination& d) { return number(v, 0, kMostRecipients, d.recipient_limit); }},
    Parameter{"recipient_minutes",
              [](std::string_view v, Destination& d) { return number(v, 1, 60, d.recipient_minutes); }},
    Parameter{"limit_type",
              [](std::string_view v, Destination& d) { return choose(kLimitTypes, v, d.limit_type); }},
    Parameter{"limit_apply",
              [](std::string_view v, Destination& d) { return choose(kLimitApplies, v, d.limit_apply); }},
    Parameter{"bounce_validation",
              [](std::string_view v, Destination& d) { return choose(kSwitches, v, d.bounce_validation); }},
    Parameter{"table_tls",
              [](std::string_view v, Destination& d) { return choose(kLevels, v, d.table_tls); }},
    Parameter{"tls_report",
              [](std::string_view v, Destination& d) { return choose(kSwitches, v, d.tls_report); }},
    Parameter{"certificate", [](std::string_view v, Destination& d) { return name(v, d.certificate); }},
    Parameter{"bounce_profile", [](std::string_view v, Destination& d) { return name(v, d.bounce_profile); }},
};

// What is wrong, empty when nothing is.
std::string set_parameters(const std::vector<std::string_view>& line, Destination& into) {
  for (size_t i = 1; i < line.size(); ++i) {
    const size_t equals = line[i].find('=');
    const std::string_view key = line[i].substr(0, equals);
    const auto parameter = std::find_if(kParameters.begin(), kParameters.end(),
                                        [&](const Parameter& p) { return equal_ignoring_case(p.name, key); });
    if (equals == std::string_view::npos || parameter == kParameters.end()) {
      std::string known;
      for (const Parameter& p : kParameters) known.append(known.empty() ? "" : ", ").append(p.name);
      return "\"" + printable(line[i], 80) + "\" is no PARAMETER=VALUE with one of " + known;
    }
    const std::string_view value = line[i].substr(equals + 1);
    if (const std::string wrong = parameter->set(value, into); !wrong.empty())
      return std::string(parameter->name) + "=" + printable(value, 80) + ": " + wrong;
  }
  return {};
}

bool is_domain(std::string_view name) {
  if (name.starts_with('.')) name.remove_prefix(1);
  return !name.empty() && name.size() <= 255 && name.find_first_of("@:/=[]") == std::string_view::npos;
}

}  // namespace

Result<Destinations> Destinations::parse(std::string_view text, std::string_view file_name) {
  struct Line {
    size_t number;
    std::vector<std::string_view> words;
  };
  Destinations table;
  std::vector<Line> others;
  const auto wrong = [&](const Line& line, const std::string& why) {
    return temporary("read " + std::string(file_name) + " line " + std::to_string(line.number) + ": " + why,
                     55, "4.3.5");
  };
  bool has_default = false;
  size_t number = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    Line line{++number, words(text.substr(at, end - at))};
    at = end + 1;
    if (line.words.empty() || line.words.front().starts_with('#')) continue;
    if (!equal_ignoring_case(line.words.front(), "DEFAULT")) {
      if (!is_domain(line.words.front()))
        return wrong(line,
                     "\"" + printable(line.words.front(), 80) + "\" is neither DEFAULT, DOMAIN nor .DOMAIN");
      others.push_back(std::move(line));
      continue;
    }
    if (std::exchange(has_default, true)) return wrong(line, "there is a line for DEFAULT before it");
    if (const std::string why = set_parameters(line.words, table.default_); !why.empty())
      return wrong(line, why);
  }
  for (const Line& line : others) {
    Destination destination = table.default_;
    if (const std::string why = set_parameters(line.words, destination); !why.empty())
      return wrong(line, why);
    if (!table.named_.emplace(lower(line.words.front()), std::move(destination)).second)
      return wrong(line, "there is a line for it before");
  }
  return table;
}

Result<Destinations> Destinations::read() {
  Result<std::optional<std::string>> text = control_text("destinations");
  if (!text) return text.failure();
  return parse(text->value_or(std::string()), "control/destinations");
}

const Destination& Destinations::of(std::string_view domain) const {
  if (named_.empty()) return default_;
  const std::string name = lower(domain);
  if (const auto found = named_.find(name); found != named_.end()) return found->second;
  for (size_t dot = name.find('.'); dot != std::string::npos; dot = name.find('.', dot + 1)) {
    if (const auto found = named_.find(name.substr(dot)); found != named_.end()) return found->second;
  }
  return default_;
}

std::string_view tls_level_name(TlsLevel level) {
  const auto found =
      std::find_if(kLevels.begin(), kLevels.end(), [&](const auto& word) { return word.second == level; });
  return found->first;
}

std::optional<TlsLevel> parse_tls_level(std::string_view word) {
  TlsLevel level{};
  return choose(kLevels, word, level).empty() ? std::optional(level) : std::nullopt;
}

}  // namespace postern
