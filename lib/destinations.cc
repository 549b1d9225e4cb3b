#include "lib/destinations.h"

#include <algorithm>
#include <array>
#include <optional>

#include "lib/control.h"
#include "lib/idn.h"
#include "lib/parameters.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr unsigned kMostConnections = 10000;
constexpr unsigned kMostMessages = 100000;
constexpr unsigned kMostRecipients = 10000000;

constexpr std::array<ParameterWord<TlsLevel>, 11> kLevels = {{
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
constexpr std::array<ParameterWord<IpSort>, 4> kSorts = {{{"prefer_v6", IpSort::prefer_v6},
                                                          {"require_v6", IpSort::require_v6},
                                                          {"prefer_v4", IpSort::prefer_v4},
                                                          {"require_v4", IpSort::require_v4}}};
constexpr std::array<ParameterWord<LimitType>, 4> kLimitTypes = {
    {{"host", LimitType::host}, {"mxip", LimitType::mx_ip}, {"0", LimitType::host}, {"1", LimitType::mx_ip}}};
constexpr std::array<ParameterWord<LimitApply>, 4> kLimitApplies = {{{"system", LimitApply::system},
                                                                     {"vg", LimitApply::virtual_gateway},
                                                                     {"0", LimitApply::system},
                                                                     {"1", LimitApply::virtual_gateway}}};
constexpr std::array kParameters = {
    Parameter<Destination>{
        "ip_sort_pref",
        [](std::string_view v, Destination& d) { return choose_parameter(kSorts, v, d.ip_sort_pref); }},
    Parameter<Destination>{"max_host_concurrency",
                           number_field<&Destination::max_host_concurrency, 1, kMostConnections>},
    Parameter<Destination>{"max_messages_per_connection",
                           number_field<&Destination::max_messages_per_connection, 1, kMostMessages>},
    Parameter<Destination>{"recipient_limit",
                           number_field<&Destination::recipient_limit, 0, kMostRecipients>},
    Parameter<Destination>{"recipient_minutes", number_field<&Destination::recipient_minutes, 1, 60>},
    Parameter<Destination>{
        "limit_type",
        [](std::string_view v, Destination& d) { return choose_parameter(kLimitTypes, v, d.limit_type); }},
    Parameter<Destination>{
        "limit_apply",
        [](std::string_view v, Destination& d) { return choose_parameter(kLimitApplies, v, d.limit_apply); }},
    Parameter<Destination>{"bounce_validation", switch_field<&Destination::bounce_validation>},
    Parameter<Destination>{
        "table_tls",
        [](std::string_view v, Destination& d) { return choose_parameter(kLevels, v, d.table_tls); }},
    Parameter<Destination>{"tls_report", switch_field<&Destination::tls_report>},
    Parameter<Destination>{"certificate", name_field<&Destination::certificate>},
    Parameter<Destination>{"bounce_profile", name_field<&Destination::bounce_profile>},
};

// A domain by its A-labels, or ".parent"; nothing where it is neither.
std::optional<std::string> key_of_name(std::string_view name) {
  const bool below = name.starts_with('.');
  Result<std::string> labels = a_labels(below ? name.substr(1) : name);
  const auto has = [&](std::string_view wrong) {
    return ("." + *labels + ".").find(wrong) != std::string::npos;
  };
  if (!labels || labels->empty() || labels->size() > 255 || has("..") ||
      labels->find_first_of("@:/=[]") != std::string::npos)
    return std::nullopt;
  return (below ? "." : "") + lower(*labels);
}

std::string problem_of_domain(std::string_view name) {
  if (key_of_name(name)) return {};
  return "\"" + printable(name, 80) + "\" is neither DEFAULT, DOMAIN nor .DOMAIN";
}

}  // namespace

Result<Destinations> Destinations::parse(std::string_view text, std::string_view file_name) {
  Destinations table;
  Result<std::unordered_map<std::string, Destination>> named =
      parse_parameters(kParameters, text, file_name, table.default_, problem_of_domain);
  if (!named) return named.failure();
  for (auto& [name, destination] : *named) {
    const std::string key = key_of_name(name).value_or(name);
    if (!table.named_.emplace(key, std::move(destination)).second)
      return temporary("read " + std::string(file_name) + ": there are two lines for " + key, 0, "4.3.5");
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
  const Result<std::string> labels = a_labels(domain);
  const std::string name = lower(labels ? *labels : std::string(domain));
  if (const auto found = named_.find(name); found != named_.end()) return found->second;
  for (size_t dot = name.find('.'); dot != std::string::npos; dot = name.find('.', dot + 1)) {
    if (const auto found = named_.find(name.substr(dot)); found != named_.end()) return found->second;
  }
  return default_;
}

std::vector<std::string> Destinations::bounce_profiles() const {
  std::vector<std::string> names = {default_.bounce_profile};
  for (const auto& [domain, destination] : named_) names.push_back(destination.bounce_profile);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  std::erase(names, std::string());
  return names;
}

bool Destinations::counts_addresses() const {
  return default_.limit_type == LimitType::mx_ip ||
         std::any_of(named_.begin(), named_.end(),
                     [](const auto& line) { return line.second.limit_type == LimitType::mx_ip; });
}

std::string_view tls_level_name(TlsLevel level) {
  const auto found =
      std::find_if(kLevels.begin(), kLevels.end(), [&](const auto& word) { return word.second == level; });
  return found->first;
}

std::optional<TlsLevel> parse_tls_level(std::string_view word) {
  TlsLevel level{};
  return choose_parameter(kLevels, word, level).empty() ? std::optional(level) : std::nullopt;
}

}  // namespace postern
