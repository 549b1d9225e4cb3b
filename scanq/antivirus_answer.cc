#include "scanq/antivirus_answer.h"

#include <fcntl.h>

#include <optional>

#include "lib/fd.h"
#include "lib/log.h"
#include "lib/mid.h"
#include "lib/request.h"
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

std::optional<Envelope> envelope_of(const Job& job) {
  if (job.fd(3) < 0) return std::nullopt;
  Result<std::string> bytes = read_whole(job.fd(3), kEnvelopeLimitBytes, "read the envelope");
  if (!bytes) {
    log_warning("read the envelope", bytes.failure());
    return std::nullopt;
  }
  Result<Envelope> envelope = parse_envelope(*bytes);
  if (!envelope) {
    log_warning("read the envelope", envelope.failure());
    return std::nullopt;
  }
  return std::move(*envelope);
}

// Reads the envelope from descriptor 3, writes descriptor 4, appends the lines; the exit code.
int answer_with_policy(const AntivirusVerdict& verdict, const AntivirusPolicy& policy, Job& job,
                       std::string_view message, const Rescan& rescan, std::string& output) {
  const int flags = job.fd(4) < 0 ? -1 : ::fcntl(job.fd(4), F_GETFL);
  const AntivirusRequest request{.message = message,
                                 .environment = job.environment,
                                 .envelope = [&] { return envelope_of(job); },
                                 .can_rewrite = flags >= 0 && (flags & O_ACCMODE) != O_RDONLY,
                                 .rescan = rescan};
  AntivirusAnswer answer = act(verdict, policy, request);
  const std::string doing = "scan MID " + job.environment.get_or("POSTERN_MID", "0");
  if (answer.failed) {
    log_warning(doing, answer.why);
    return 111;
  }
  if (answer.message) {
    if (Result<void> wrote = write_all(job.fd(4), *answer.message, "write the new message"); !wrote) {
      log_warning(doing, wrote.failure());
      return 111;
    }
  }
  for (const VerdictLine& one : answer.lines) output += format_verdict_line(one);
  return 0;
}

}  // namespace

int answer_job(Job& job, const Look& look, std::string_view engine, const AntivirusPolicy& policy,
               std::string& output) {
  std::optional<int> code;
  const std::string exempt = exempt_virus(job.environment);
  const Rescan rescan = [&](std::string_view message) { return look(message, exempt); };
  const auto answer = [&](const AntivirusVerdict& verdict, std::string_view message) {
    log_verdict(verdict, engine, job.environment);
    code = answer_with_policy(verdict, policy, job, message, rescan, output);
  };
  const AntivirusVerdict unread = look_at_file(job.fd(0), [&](std::string_view message) {
    const AntivirusVerdict verdict = rescan(message);
    answer(verdict, message);
    return verdict;
  });
  // An empty message, or one that cannot be read.
  if (!code) answer(unread, {});
  return *code;
}

}  // namespace postern
