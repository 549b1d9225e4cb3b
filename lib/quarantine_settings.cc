#include "lib/quarantine_settings.h"

#include "lib/control.h"
#include "lib/quarantine_name.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr std::string_view kRemedy = "; write NAME retention=30d action=release (or action=delete)";

Failure wrong(std::string what) {
  return permanent(std::move(what) + std::string(kRemedy));
}

}  // namespace

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
  if (!is_quarantine_name(line)) return wrong("does not begin with a quarantine's name");
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
