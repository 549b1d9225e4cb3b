#include "scanq/antivirus_answer.h"

#include "lib/log.h"
#include "lib/mid.h"
#include "scanq/antivirus_scan.h"

namespace postern {

int answer_verdict(const AntivirusVerdict& verdict, std::string_view engine, const Environment& environment,
                   std::string& output) {
  const std::string mid =
      "MID " + std::to_string(parse_mid(environment.get_or("POSTERN_MID", "")).value_or(0));
  const bool encrypted = verdict.kind == AntivirusKind::encrypted;
  const bool infected = verdict.kind == AntivirusKind::infected;
  if (verdict.kind != AntivirusKind::clean && !infected && !encrypted) {
    log_warning("scan " + mid, verdict.name);
    return 111;
  }
  const char* word = infected ? "VIRAL" : encrypted ? "ENCRYPTED" : "CLEAN";
  LogLines lines;
  lines.info(mid + " interim AV verdict using " + std::string(engine) + " " + word);
  lines.info(mid + " antivirus " + (infected ? "positive '" + verdict.name + "'" : "negative"));
  if (infected) output = infected_verdict(verdict.name, environment);
  return 0;
}

}  // namespace postern
