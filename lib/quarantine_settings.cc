#include "lib/quarantine_settings.h"

#include <algorithm>

#include "lib/control.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr std::string_view kRemedy = "; write NAME retention=30d action=release (or action=delete)";

bool is_name_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ' ' || c == '-' ||
         c == '_';
}

Failure wrong(std::string what) {
  return permanent(std::move(what) + std::string(kRemedy));
}

}  // namespace

bool valid_quarantine_name(std::string_view name) {
  return !name.empty() && name.size() <= kQuarantineNameLimit && name.front() != ' ' && name.front() != '-' &&
         name.back() != ' ' && std::all_of(name.begin(), name.end(), is_name_letter);
}

std::optional<uint64_t> parse_age(std::string_view text) {
  uint64_t unit = 1;
  if (!text.empty()) {
    switch (text.back()) {
      case 's':
        break;
      case 'm':
        unit = 60;
        break;
      case 'h':
        unit = 3600;
        break;
      case 'd':
        unit = 86400;
        break;
      default:
        unit = 0;
    }
  }
  if (unit != 0) {
    text.remove_suffix(text.empty() ? 0 : 1);
  } else {
    unit = 1;
  }
  const std::optional<uint64_t> number = parse_number(text);
  if (!number || *number > kRetentionLimitSeconds / unit) return std::nullopt;
  return *number * unit;
}

Result<QuarantineSettings> parse_quarantine_line(std::string_view line) {
  QuarantineSettings settings;
  line = trim(line);
  while (line.find('=') != std::string_view::npos) {
    const size_t blank = line.find_last_of(" \t");
    const std::string_view word = line.substr(blank == std::string_view::npos ? 0 : blank + 1);
    if (word.starts_with("retention=")) {
      const std::optional<uint64_t> age = parse_age(word.substr(10));
      if (!age || *age == 0) return wrong("has no retention that could be read");
      settings.retention_seconds = *age;
    } else if (word == "action=delete" || word == "action=release") {
      settings.deletes = word == "action=delete";
    } else {
      return wrong("has an option that is not known: " + printable(word, 40));
    }
    line = trim(line.substr(0, line.size() - word.size()));
  }
  if (!valid_quarantine_name(line)) return wrong("does not begin with a quarantine's name");
  settings.name = line;
  return settings;
}

Result<std::vector<QuarantineSettings>> quarantine_settings() {
  std::vector<QuarantineSettings> all;
  Result<std::optional<std::vector<std::string>>> lines = control_list("quarantines");
  if (!lines) return lines.failure();
  if (!*lines) return all;
  for (const std::string& line : **lines) {
    Result<QuarantineSettings> one = parse_quarantine_line(line);
    if (!one)
      return temporary("read " + home_path("control/quarantines") + ": \"" + printable(line, 80) + "\" " +
                           one.failure().text,
                       55);
    all.push_back(std::move(*one));
  }
  return all;
}

}  // namespace postern
