#include "scanq/scanq_settings.h"

#include <optional>

#include "lib/control.h"
#include "lib/environment.h"

namespace postern {

Result<ScanqSettings> read_scanq_settings() {
  ScanqSettings settings;
  // From our own environment, never from a request: a client must not choose what we run.
  const Environment own = Environment::of_process();
  settings.programs = {.queue = own.get_or("POSTERN_QUEUE", "@queue"),
                       .quarantine = own.get_or("POSTERN_QUARANTINE_PROGRAM", "@quarantine"),
                       .sets = own.get_or("POSTERN_SETS", "@sets")};
  Result<std::optional<std::vector<std::string>>> lines = control_list("stages");
  if (!lines) return lines.failure();
  Result<std::vector<Stage>> stages =
      parse_stages(lines->value_or(std::vector<std::string>{"antivirus @antivirus when=released"}));
  if (!stages) return stages.failure();
  settings.stages = std::move(*stages);
  for (const char* name : {"locals", "rcpthosts"}) {
    Result<std::optional<std::vector<std::string>>> domains = control_list(name);
    if (!domains) return domains.failure();
    if (domains->has_value())
      settings.ours.insert(settings.ours.end(), (*domains)->begin(), (*domains)->end());
  }
  if (settings.ours.empty()) {
    Result<std::string> me = control_me();
    if (!me) return me.failure();
    settings.ours.push_back(*me);
  }
  return settings;
}

}  // namespace postern
