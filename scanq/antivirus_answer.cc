#include "scanq/antivirus_answer.h"

#include <optional>

#include "lib/log.h"
#include "lib/mid.h"
#include "lib/text.h"
#include "scanq/antivirus_finding.h"
#include "scanq/antivirus_scan.h"

namespace postern {

namespace {

std::string_view interim_word(AntivirusKind kind) {
  switch (kind) {
    case AntivirusKind::clean:
      return "CLEAN";
    case AntivirusKind::infected:
      return "VIRAL";
    case AntivirusKind::encrypted:
      return "ENCRYPTED";
    default:
      return "UNSCANNABLE";
  }
}

// What failed is logged where it is decided what becomes of it.
void log_verdict(const AntivirusVerdict& verdict, std::string_view engine, const Environment& environment) {
  if (verdict.kind == AntivirusKind::error) return;
  const std::string mid = mid_text(parse_mid(environment.get_or("POSTERN_MID", "")).value_or(0));
  std::string outcome = "negative";
  if (verdict.kind == AntivirusKind::infected) {
    outcome = "positive '" + verdict.name + "'";
  } else if (verdict.kind != AntivirusKind::clean) {
    outcome = std::string(kind_name(verdict.kind)) + " '" + printable(verdict.name, 200) + "'";
  }
  LogLines lines;
  lines.info(mid + " interim AV verdict using " + std::string(engine) + " " +
             std::string(interim_word(verdict.kind)));
  lines.info(mid + " antivirus " + outcome);
}

}  // namespace

int answer_job(Job& job, const Rescan& look, std::string_view engine, const AntivirusPolicy& policy,
               std::string& output) {
  std::optional<int> code;
  const auto answer = [&](const AntivirusVerdict& verdict, std::string_view message) {
    log_verdict(verdict, engine, job.environment);
    code = answer_with_policy(verdict, policy, job, message, look, output);
  };
  const AntivirusVerdict unread = look_at_file(job.fd(0), [&](std::string_view message) {
    const AntivirusVerdict verdict = look(message);
    answer(verdict, message);
    return verdict;
  });
  // An empty message, or one that cannot be read.
  if (!code) answer(unread, {});
  return *code;
}

}  // namespace postern
