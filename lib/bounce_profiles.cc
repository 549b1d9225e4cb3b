#include "lib/bounce_profiles.h"

#include <algorithm>
#include <array>
#include <optional>

#include "lib/control.h"
#include "lib/envelope.h"
#include "lib/parameters.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr unsigned kMostRetries = 1000000;
constexpr unsigned kMostWarnings = 1000;
constexpr uint64_t kMostCopyBytes = uint64_t{1} << 30;

constexpr std::array<ParameterWord<BounceFormat>, 2> kFormats = {
    {{"dsn", BounceFormat::dsn}, {"plain", BounceFormat::plain}}};

bool is_digits(std::string_view text, size_t most) {
  return !text.empty() && text.size() <= most &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// "550", "55", "5.7.26", "5.7", "550+5.7.26". A code of one digit would be every reply there is.
std::optional<ReplyPattern> pattern_of(std::string_view text) {
  ReplyPattern pattern;
  const std::vector<std::string_view> parts = split(text, '+');
  if (parts.size() > 2) return std::nullopt;
  for (const std::string_view part : parts) {
    const std::vector<std::string_view> numbers = split(part, '.');
    const bool is_status =
        numbers.size() >= 2 && numbers.size() <= 3 && numbers[0].size() == 1 &&
        std::all_of(numbers.begin(), numbers.end(), [](std::string_view n) { return is_digits(n, 3); });
    const bool is_code = is_digits(part, 3) && part.size() >= 2;
    if ((!is_status && !is_code) || (part[0] != '4' && part[0] != '5')) return std::nullopt;
    std::string& into = is_status ? pattern.status : pattern.code;
    if (!into.empty()) return std::nullopt;
    into = part;
  }
  return pattern;
}

std::string patterns(std::string_view text, std::vector<ReplyPattern>& into) {
  into.clear();
  if (text.empty()) return {};
  for (const std::string_view word : split(text, ',')) {
    std::optional<ReplyPattern> pattern = pattern_of(word);
    if (!pattern)
      return "it is a list as 550,4.2,550+5.7.26: of reply codes or their first two digits, of enhanced "
             "status codes or their first parts, and of both joined by +";
    into.push_back(std::move(*pattern));
  }
  return {};
}

std::string address(std::string_view text, std::string& into) {
  const bool good = text.empty() || (text.size() <= kAddressLimitBytes && !local_part_of(text).empty() &&
                                     !domain_of(text).empty() && text.find_first_of("<>\"") == text.npos);
  if (!good) return "it is a full address, user@domain, or nothing for the sender";
  into = text;
  return {};
}

using Row = Parameter<BounceProfile>;
constexpr std::array kParameters = {
    Row{"max_retries", number_field<&BounceProfile::max_retries, 0, kMostRetries>},
    Row{"max_queue_lifetime", number_field<&BounceProfile::max_queue_lifetime, 0, kLongestAgeSeconds>},
    Row{"initial_retry", number_field<&BounceProfile::initial_retry, 1, kLongestAgeSeconds>},
    Row{"max_retry_timeout", number_field<&BounceProfile::max_retry_timeout, 1, kLongestAgeSeconds>},
    Row{"hard", [](std::string_view v, BounceProfile& p) { return patterns(v, p.hard); }},
    Row{"soft", [](std::string_view v, BounceProfile& p) { return patterns(v, p.soft); }},
    Row{"send_hard_bounces", switch_field<&BounceProfile::send_hard_bounces>},
    Row{"bounce_format",
        [](std::string_view v, BounceProfile& p) { return choose_parameter(kFormats, v, p.bounce_format); }},
    Row{"send_delay_warnings", switch_field<&BounceProfile::send_delay_warnings>},
    Row{"delay_warning_interval",
        number_field<&BounceProfile::delay_warning_interval, 1, kLongestAgeSeconds>},
    Row{"max_delay_warnings", number_field<&BounceProfile::max_delay_warnings, 1, kMostWarnings>},
    Row{"bounce_recipient",
        [](std::string_view v, BounceProfile& p) { return address(v, p.bounce_recipient); }},
    Row{"sign_bounces", switch_field<&BounceProfile::sign_bounces>},
    Row{"max_bounce_copy", number_field<&BounceProfile::max_bounce_copy, 0, kMostCopyBytes>},
    Row{"template", name_field<&BounceProfile::bounce_template>},
};

std::string problem_of_name(std::string_view name) {
  return is_parameter_name(name) ? ""
                                 : "\"" + printable(name, 80) + "\" is no name of A-Z, a-z, 0-9, - and _";
}

bool starts_with_parts(std::string_view status, std::string_view pattern) {
  return status.starts_with(pattern) && (status.size() == pattern.size() || status[pattern.size()] == '.');
}

}  // namespace

bool ReplyPattern::fits(std::string_view reply_code, std::string_view enhanced_status) const {
  return reply_code.starts_with(code) && (status.empty() || starts_with_parts(enhanced_status, status));
}

Result<BounceProfiles> BounceProfiles::parse(std::string_view text, std::string_view file_name,
                                             const BounceProfile& otherwise) {
  BounceProfiles profiles;
  profiles.default_ = otherwise;
  Result<std::unordered_map<std::string, BounceProfile>> named =
      parse_parameters(kParameters, text, file_name, profiles.default_, problem_of_name);
  if (!named) return named.failure();
  profiles.named_ = std::move(*named);
  profiles.longest_wait_ = profiles.default_.max_retry_timeout;
  for (auto& [name, profile] : profiles.named_) {
    profile.name = name;
    profiles.longest_wait_ = std::max(profiles.longest_wait_, profile.max_retry_timeout);
  }
  return profiles;
}

Result<BounceProfiles> BounceProfiles::read() {
  BounceProfile otherwise;
  for (const auto& [name, into] : {std::pair{"queuelifetime", &otherwise.max_queue_lifetime},
                                   {"retryfirst", &otherwise.initial_retry},
                                   {"retrylongest", &otherwise.max_retry_timeout}}) {
    Result<uint64_t> value = control_number_or(name, *into);
    if (!value) return value.failure();
    *into = std::min(*value, kLongestAgeSeconds);
  }
  Result<std::optional<std::string>> text = control_text("bounceprofiles");
  if (!text) return text.failure();
  return parse(text->value_or(std::string()), home_path("control/bounceprofiles"), otherwise);
}

const BounceProfile* BounceProfiles::find(std::string_view name) const {
  if (equal_ignoring_case(name, default_.name)) return &default_;
  const auto found = named_.find(lower(name));
  return found == named_.end() ? nullptr : &found->second;
}

std::vector<std::string> BounceProfiles::templates() const {
  std::vector<std::string> names;
  const auto add = [&](const BounceProfile& profile) {
    if (profile.bounce_template.empty()) return;
    if (std::find(names.begin(), names.end(), profile.bounce_template) == names.end())
      names.push_back(profile.bounce_template);
  };
  add(default_);
  for (const auto& [name, profile] : named_) add(profile);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace postern
