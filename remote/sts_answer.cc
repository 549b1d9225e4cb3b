#include "remote/sts_answer.h"

#include <algorithm>
#include <array>

#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kReasonLimitBytes = 300;

struct OutcomeWord {
  StsAnswer::Outcome outcome;
  std::string_view word;
};
constexpr std::array<OutcomeWord, 4> kOutcomes = {{{StsAnswer::Outcome::found, "found"},
                                                   {StsAnswer::Outcome::none, "none"},
                                                   {StsAnswer::Outcome::failed, "failed"},
                                                   {StsAnswer::Outcome::pending, "pending"}}};

// All words of both forms.
struct Lines {
  std::string domain;
  std::optional<StsAnswer::Outcome> outcome;
  bool has_policy = false;
  StsPolicy policy;
  uint64_t left = 0;
  uint64_t fetched = 0;
  uint64_t tried = 0;
  std::string result;
  std::string why;
};

Failure broken(std::string_view line) {
  return temporary("read an MTA-STS answer: \"" + printable(line, 80) + "\" is no line of one");
}

bool take_mode(std::string_view value, Lines& lines) {
  lines.has_policy = true;
  for (const StsPolicy::Mode mode :
       {StsPolicy::Mode::none, StsPolicy::Mode::testing, StsPolicy::Mode::enforce}) {
    if (value != sts_mode_word(mode)) continue;
    lines.policy.mode = mode;
    return true;
  }
  return false;
}

bool take_outcome(std::string_view value, Lines& lines) {
  for (const OutcomeWord& known : kOutcomes) {
    if (value == known.word) lines.outcome = known.outcome;
  }
  return lines.outcome.has_value();
}

bool take_number(std::string_view value, uint64_t& into) {
  const std::optional<uint64_t> number = parse_number(value);
  if (!number) return false;
  into = *number;
  return true;
}

bool take_line(std::string_view word, std::string_view value, Lines& lines) {
  if (word == "outcome") return take_outcome(value, lines);
  if (word == "mode") return take_mode(value, lines);
  if (word == "max_age")
    return take_number(value, lines.policy.max_age) && lines.policy.max_age <= kStsLongestAgeSeconds;
  if (word == "left") return take_number(value, lines.left);
  if (word == "fetched")
    return take_number(value, lines.fetched) && lines.fetched < uint64_t{1} << 40;  // no sum overflows
  if (word == "tried") return take_number(value, lines.tried) && lines.tried < uint64_t{1} << 40;
  if (value.empty()) return false;
  if (word == "id") {
    lines.policy.id = value;
  } else if (word == "mx") {
    if (lines.policy.mx.size() == kStsMxLimit) return false;
    lines.policy.mx.push_back(lower(value));
  } else if (word == "result") {
    lines.result = value;
  } else if (word == "why") {
    lines.why = value;
  } else {
    return false;
  }
  return true;
}

Result<Lines> read_lines(std::string_view text) {
  if (!text.ends_with("\nend\n")) return broken("(no end)");
  text.remove_suffix(5);
  Lines lines;
  bool first = true;
  for (const std::string_view line : split(text, '\n')) {
    const size_t blank = line.find(' ');
    const std::string_view word = line.substr(0, blank);
    const std::string_view value = blank == std::string_view::npos ? "" : line.substr(blank + 1);
    if (first) {
      if (word != "domain" || !is_policy_domain(value)) return broken(line);
      lines.domain = value;
    } else if (!take_line(word, value, lines)) {
      return broken(line);
    }
    first = false;
  }
  return lines;
}

void append(std::string& text, std::string_view word, std::string_view value) {
  text.append(word).append(" ").append(value).append("\n");
}

void append_policy(std::string& text, const StsPolicy& policy) {
  append(text, "mode", sts_mode_word(policy.mode));
  if (!policy.id.empty()) append(text, "id", policy.id);
  append(text, "max_age", std::to_string(policy.max_age));
}

void append_end(std::string& text, const StsPolicy& policy, std::string_view result, std::string_view why) {
  for (const std::string& mx : policy.mx) append(text, "mx", mx);
  if (!result.empty()) append(text, "result", printable(result, kReasonLimitBytes));
  if (!why.empty()) append(text, "why", printable(why, kReasonLimitBytes));
  text += "end\n";
}

}  // namespace

std::string format_sts_answer(const StsAnswer& answer) {
  std::string text = "domain " + answer.domain + "\n";
  for (const OutcomeWord& known : kOutcomes) {
    if (known.outcome == answer.outcome) append(text, "outcome", known.word);
  }
  const bool found = answer.outcome == StsAnswer::Outcome::found;
  if (found) {
    append_policy(text, answer.policy);
    append(text, "left", std::to_string(answer.left));
  }
  append_end(text, found ? answer.policy : StsPolicy(), answer.result, answer.why);
  return text;
}

Result<StsAnswer> parse_sts_answer(std::string_view text) {
  Result<Lines> lines = read_lines(text);
  if (!lines) return lines.failure();
  if (!lines->outcome || lines->has_policy != (lines->outcome == StsAnswer::Outcome::found))
    return broken("(no outcome that fits)");
  return StsAnswer{.domain = std::move(lines->domain),
                   .outcome = *lines->outcome,
                   .policy = std::move(lines->policy),
                   .left = lines->left,
                   .result = std::move(lines->result),
                   .why = std::move(lines->why)};
}

std::string format_sts_entry(const StsEntry& entry) {
  std::string text = "domain " + entry.domain + "\n";
  append(text, "tried", std::to_string(entry.tried));
  if (entry.fetched != 0) {
    append(text, "fetched", std::to_string(entry.fetched));
    append_policy(text, entry.policy);
  }
  append_end(text, entry.fetched != 0 ? entry.policy : StsPolicy(), entry.result, entry.why);
  return text;
}

Result<StsEntry> parse_sts_entry(std::string_view text) {
  Result<Lines> lines = read_lines(text);
  if (!lines) return lines.failure();
  if (lines->has_policy != (lines->fetched != 0)) return broken("(a policy and when it was fetched)");
  return StsEntry{.domain = std::move(lines->domain),
                  .policy = std::move(lines->policy),
                  .fetched = lines->fetched,
                  .tried = lines->tried,
                  .result = std::move(lines->result),
                  .why = std::move(lines->why)};
}

}  // namespace postern
