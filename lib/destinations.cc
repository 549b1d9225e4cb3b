#include "lib/destinations.h"

#include <algorithm>
#include <array>
#include <optional>

#include "lib/control.h"
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
                           [](std::string_view v, Destination& d) {
                             return number_parameter(v, 1, kMostConnections, d.max_host_concurrency);
                           }},
    Parameter<Destination>{"max_messages_per_connection",
                           [](std::string_view v, Destination& d) {
                             return number_parameter(v, 1, kMostMessages, d.max_messages_per_connection);
                           }},
    Parameter<Destination>{"recipient_limit",
                           [](std::string_view v, Destination& d) {
                             return number_parameter(v, 0, kMostRecipients, d.recipient_limit);
                           }},
    Parameter<Destination>{
        "recipient_minutes",
        [](std::string_view v, Destination& d) { return number_parameter(v, 1, 60, d.recipient_minutes); }},
    Parameter<Destination>{
        "limit_type",
        [](std::string_view v, Destination& d) { return choose_parameter(kLimitTypes, v, d.limit_type); }},
    Parameter<Destination>{
        "limit_apply",
        [](std::string_view v, Destination& d) { return choose_parameter(kLimitApplies, v, d.limit_apply); }},
    Parameter<Destination>{
        "bounce_validation",
        [](std::string_view v, Destination& d) { return switch_parameter(v, d.bounce_validation); }},
    Parameter<Destination>{
        "table_tls",
        [](std::string_view v, Destination& d) { return choose_parameter(kLevels, v, d.table_tls); }},
    Parameter<Destination>{
        "tls_report", [](std::string_view v, Destination& d) { return switch_parameter(v, d.tls_report); }},
    Parameter<Destination>{
        "certificate", [](std::string_view v, Destination& d) { return name_parameter(v, d.certificate); }},
    Parameter<Destination>{
        "bounce_profile",
        [](std::string_view v, Destination& d) { return name_parameter(v, d.bounce_profile); }},
};

std::string problem_of_domain(std::string_view name) {
  std::string_view domain = name;
  if (domain.starts_with('.')) domain.remove_prefix(1);
  if (!domain.empty() && domain.size() <= 255 && domain.find_first_of("@:/=[]") == std::string_view::npos)
    return {};
  return "\"" + printable(name, 80) + "\" is neither DEFAULT, DOMAIN nor .DOMAIN";
}

}  // namespace

Result<Destinations> Destinations::parse(std::string_view text, std::string_view file_name) {
  Destinations table;
  Result<std::unordered_map<std::string, Destination>> named =
      parse_parameters(kParameters, text, file_name, table.default_, problem_of_domain);
  if (!named) return named.failure();
  table.named_ = std::move(*named);
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

std::vector<std::string> Destinations::bounce_profiles() const {
  std::vector<std::string> names = {default_.bounce_profile};
  for (const auto& [domain, destination] : named_) names.push_back(destination.bounce_profile);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  std::erase(names, std::string());
  return names;
}

std::string_view tls_level_name(TlsLevel level) {
  const auto found =
      std::find_if(kLevels.begin(), kLevels.end(), [&](const auto& word) { return word.second == level; });
  return found->first;
}

}  // namespace postern
