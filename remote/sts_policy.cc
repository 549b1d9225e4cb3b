#include "remote/sts_policy.h"

#include <algorithm>
#include <array>
#include <optional>

#include "lib/text.h"
#include "remote/tag_record.h"

namespace postern {

namespace {

constexpr size_t kNameLimitBytes = 253;
constexpr size_t kLabelLimitBytes = 63;
constexpr size_t kIdLimitBytes = 32;
constexpr size_t kAgeLimitDigits = 10;
constexpr std::string_view kRecordBegin = "v=STSv1";

struct ModeWord {
  StsPolicy::Mode mode;
  std::string_view word;
};
constexpr std::array<ModeWord, 3> kModes = {{{StsPolicy::Mode::none, "none"},
                                             {StsPolicy::Mode::testing, "testing"},
                                             {StsPolicy::Mode::enforce, "enforce"}}};

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_label(std::string_view label) {
  if (label.empty() || label.size() > kLabelLimitBytes || label.front() == '-' || label.back() == '-')
    return false;
  return std::all_of(label.begin(), label.end(),
                     [](char c) { return is_alphanumeric(c) || c == '-' || c == '_'; });
}

bool is_name(std::string_view name) {
  if (name.empty() || name.size() > kNameLimitBytes) return false;
  const std::vector<std::string_view> labels = split(name, '.');
  return std::all_of(labels.begin(), labels.end(), is_label);
}

Failure invalid(std::string text) {
  return permanent("the policy " + std::move(text));
}

// What stands in a line, between its key's colon and its end, is taken only the first time, but for mx.
struct Fields {
  std::optional<std::string_view> version;
  std::optional<std::string_view> mode;
  std::optional<std::string_view> max_age;
  std::vector<std::string_view> mx;
};

Result<Fields> fields_of(std::string_view text) {
  Fields fields;
  for (std::string_view line : split(text, '\n')) {
    line = trim(line);
    if (line.empty()) continue;
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) return invalid("has a line without a colon");
    const std::string_view key = line.substr(0, colon);
    const std::string_view value = trim(line.substr(colon + 1));
    if (key == "mx") {
      if (fields.mx.size() == kStsMxLimit)
        return invalid("names more than " + std::to_string(kStsMxLimit) + " hosts");
      fields.mx.push_back(value);
      continue;
    }
    for (const auto& [name, into] :
         {std::pair{"version", &fields.version}, {"mode", &fields.mode}, {"max_age", &fields.max_age}}) {
      if (key == name && !into->has_value()) *into = value;
    }
  }
  return fields;
}

}  // namespace

std::string_view sts_mode_word(StsPolicy::Mode mode) {
  for (const ModeWord& known : kModes) {
    if (known.mode == mode) return known.word;
  }
  return "none";
}

Result<StsPolicy> parse_sts_policy(std::string_view text) {
  if (text.size() > kStsTextLimitBytes) return invalid("is longer than 64 KiB");
  Result<Fields> fields = fields_of(text);
  if (!fields) return fields.failure();
  if (fields->version != "STSv1") return invalid("is not of version STSv1");
  StsPolicy policy;
  const auto mode = std::find_if(kModes.begin(), kModes.end(),
                                 [&](const ModeWord& known) { return fields->mode == known.word; });
  if (mode == kModes.end()) return invalid("has no mode of enforce, testing and none");
  policy.mode = mode->mode;
  const std::string_view age = fields->max_age.value_or("");
  const std::optional<uint64_t> seconds = parse_number(age);
  if (!seconds || age.size() > kAgeLimitDigits) return invalid("has no max_age in seconds");
  policy.max_age = std::min(*seconds, kStsLongestAgeSeconds);
  for (const std::string_view mx : fields->mx) {
    if (!is_name(mx.starts_with("*.") ? mx.substr(2) : mx)) return invalid("has an mx that is no host name");
    policy.mx.push_back(lower(mx));
  }
  if (policy.mx.empty() && policy.mode != StsPolicy::Mode::none) return invalid("names no mx");
  return policy;
}

std::vector<std::string> sts_policy_lines(const StsPolicy& policy) {
  std::vector<std::string> lines = {"version: STSv1", "mode: " + std::string(sts_mode_word(policy.mode))};
  for (const std::string& mx : policy.mx) lines.push_back("mx: " + mx);
  lines.push_back("max_age: " + std::to_string(policy.max_age));
  return lines;
}

bool sts_matches(const StsPolicy& policy, std::string_view mx_host) {
  std::string host = lower(mx_host);
  if (host.ends_with('.')) host.pop_back();
  const size_t dot = host.find('.');
  return std::any_of(policy.mx.begin(), policy.mx.end(), [&](const std::string& pattern) {
    if (!pattern.starts_with("*.")) return pattern == host;
    return dot != std::string::npos && dot > 0 && pattern.compare(1, std::string::npos, host, dot) == 0;
  });
}

bool is_policy_domain(std::string_view domain) {
  return is_name(domain) && domain.find('.') != std::string_view::npos;
}

std::string sts_id_of(const std::vector<std::string>& records) {
  const std::optional<std::string_view> record = only_record(records, kRecordBegin);
  if (!record) return "";
  const std::string_view id = tag_of(*record, "id").value_or("");
  const bool good =
      !id.empty() && id.size() <= kIdLimitBytes && std::all_of(id.begin(), id.end(), is_alphanumeric);
  return good ? std::string(id) : std::string();
}

}  // namespace postern
