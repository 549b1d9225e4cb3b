#include "lib/callahead_profiles.h"

#include <array>

#include "lib/control.h"
#include "lib/envelope.h"
#include "lib/parameters.h"

namespace postern {

namespace {

constexpr const char* kFile = "callahead";
constexpr size_t kServersLimit = 20;
constexpr uint64_t kMostAnswers = 1000000;
constexpr uint64_t kMostConnections = 1000;

constexpr std::array<ParameterWord<CallAheadAction>, 3> kActions = {{{"accept", CallAheadAction::accept},
                                                                     {"defer", CallAheadAction::defer},
                                                                     {"refuse", CallAheadAction::refuse}}};

std::string servers(std::string_view text, std::vector<NextHop>& into) {
  into.clear();
  if (equal_ignoring_case(text, "delivery-host")) return {};
  for (const std::string_view word : split(text, ',')) {
    Result<NextHop> hop = parse_next_hop(word);
    if (!hop || hop->way != NextHop::Way::smtp)
      return "it is delivery-host, or servers as HOST, HOST:PORT, ADDRESS or [ADDRESS]:PORT with commas "
             "between";
    into.push_back(std::move(*hop));
  }
  return into.size() <= kServersLimit ? "" : "it has at most " + std::to_string(kServersLimit) + " servers";
}

std::string address(std::string_view text, std::string& into) {
  into = address_literal(text);
  return into.empty() && !text.empty() ? "it is an address of this host" : "";
}

std::string sender(std::string_view text, std::string& into) {
  into = text == "<>" ? std::string_view() : text;
  const bool good = into.empty() || (into.size() <= kAddressLimitBytes && !local_part_of(into).empty() &&
                                     into.find('@') != std::string::npos && !domain_of(into).empty() &&
                                     into.find_first_of("<>\"\\") == std::string::npos);
  return good ? "" : "it is a full address, user@domain, or <>";
}

using Row = Parameter<CallAheadProfile>;
constexpr std::array kParameters = {
    Row{"servers", [](std::string_view v, CallAheadProfile& p) { return servers(v, p.servers); }},
    Row{"interface", [](std::string_view v, CallAheadProfile& p) { return address(v, p.interface); }},
    Row{"mail_from", [](std::string_view v, CallAheadProfile& p) { return sender(v, p.mail_from); }},
    Row{"timeout",
        [](std::string_view v, CallAheadProfile& p) {
          return number_parameter(v, 1, kLongestCallAheadSeconds, p.timeout);
        }},
    Row{"failure",
        [](std::string_view v, CallAheadProfile& p) { return choose_parameter(kActions, v, p.failure); }},
    Row{"temporary_failure",
        [](std::string_view v, CallAheadProfile& p) {
          return choose_parameter(kActions, v, p.temporary_failure);
        }},
    Row{"max_recipients",
        [](std::string_view v, CallAheadProfile& p) {
          return number_parameter(v, 1, kRecipientLimit, p.max_recipients);
        }},
    Row{"max_connections",
        [](std::string_view v, CallAheadProfile& p) {
          return number_parameter(v, 1, kMostConnections, p.max_connections);
        }},
    Row{"cache_size", [](std::string_view v,
                         CallAheadProfile& p) { return number_parameter(v, 0, kMostAnswers, p.cache_size); }},
    Row{"cache_ttl",
        [](std::string_view v, CallAheadProfile& p) { return number_parameter(v, 0, 86400, p.cache_ttl); }},
};

std::string problem_of_name(std::string_view name) {
  if (name == "off") return "off is no name for a profile: it switches call-ahead off";
  return is_parameter_name(name) && !name.empty() ? ""
                                                  : "the name of a profile is made of A-Z, a-z, 0-9, - and _";
}

}  // namespace

Result<CallAheadProfiles> CallAheadProfiles::parse(std::string_view text, std::string_view file_name) {
  CallAheadProfile otherwise;
  auto named = parse_parameters(kParameters, text, file_name, otherwise, problem_of_name);
  if (!named) return named.failure();
  CallAheadProfiles profiles;
  for (auto& [name, profile] : *named) profiles.profiles_.emplace(name, std::move(profile));
  return profiles;
}

Result<CallAheadProfiles> CallAheadProfiles::read() {
  Result<std::optional<std::string>> text = control_text(kFile);
  if (!text) return text.failure();
  if (!text->has_value()) return CallAheadProfiles();
  return parse(**text, home_path(std::string("control/") + kFile));
}

const CallAheadProfile* CallAheadProfiles::find(std::string_view name) const {
  const auto found = profiles_.find(lower(name));
  return found == profiles_.end() ? nullptr : &found->second;
}

}  // namespace postern
