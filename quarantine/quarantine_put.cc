#include "quarantine/quarantine_put.h"

#include "lib/log.h"
#include "lib/mid.h"
#include "lib/submit.h"
#include "lib/text.h"
#include "quarantine/quarantine_arguments.h"
#include "quarantine/quarantine_verbs.h"

namespace postern::quarantine {

namespace {

int put_failed(const Failure& failure) {
  log_warning("put a message into quarantine", failure);
  return queue_exit_code(failure);
}

Result<Envelope> read_envelope(Job& job) {
  if (job.fd(0) < 0) return temporary("there is no message on descriptor 0", 54);
  if (job.fd(3) < 0) return temporary("there is no envelope on descriptor 3", 91);
  Result<std::string> bytes = read_whole(job.fd(3), kEnvelopeLimitBytes, "read the envelope");
  if (!bytes) return temporary(bytes.failure().text, 54);
  Result<Envelope> envelope = parse_envelope(*bytes);
  if (!envelope || job.environment.get_or("POSTERN_EXTRAS", "") != "5") return envelope;
  if (job.fd(5) < 0) return temporary("POSTERN_EXTRAS promises descriptor 5, which is not open", 91);
  Result<std::string> extras = read_whole(job.fd(5), kEnvelopeLimitBytes, "read the envelope's extras");
  if (!extras) return temporary(extras.failure().text, 54);
  if (Result<void> parsed = parse_extras(*extras, *envelope); !parsed) return parsed.failure();
  return envelope;
}

void log_put(const std::vector<Placement>& placements, uint64_t known, uint64_t mid) {
  LogLines lines;
  for (const Placement& one : placements) {
    lines.info(mid_text(known) + " quarantined to \"" + one.quarantine + "\" (" +
               printable(one.reason, kReasonLimit) + ")");
  }
  if (known != mid) {
    lines.info(mid_text(known) + " rewritten to " + std::to_string(mid) + " by quarantine \"" +
               placements.front().quarantine + "\"");
  }
}

}  // namespace

int put_message(QuarantineStore& store, Job& job) {
  const std::vector<std::string> words(job.arguments.begin() + 1, job.arguments.end());
  Result<std::vector<Placement>> placements = parse_placements(words);
  if (!placements) return wrong_usage(placements.failure().text);
  const std::string until = job.environment.get_or("POSTERN_HOLD_UNTIL", "");
  if (!until.empty() && !parse_number(until))
    return wrong_usage("POSTERN_HOLD_UNTIL is \"" + printable(until, 40) + "\": write seconds since 1970");
  Result<Envelope> envelope = read_envelope(job);
  if (!envelope) return put_failed(envelope.failure());
  const uint64_t wanted = parse_mid(job.environment.get_or("POSTERN_MID", "")).value_or(0);
  const PutOrder order{.placements = *placements,
                       .message = job.fd(0),
                       .envelope = *envelope,
                       .request = job.environment,
                       .wanted_mid = wanted};
  Result<bool> before = store.put_before(order);
  if (!before) return put_failed(before.failure());
  if (*before) return 0;
  Result<uint64_t> mid = store.put(order, [&] { return !job.client_gone(); });
  if (!mid) return put_failed(mid.failure());
  log_put(*placements, wanted != 0 ? wanted : *mid, *mid);
  return 0;
}

}  // namespace postern::quarantine
