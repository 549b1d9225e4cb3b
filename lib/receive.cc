#include "lib/receive.h"

#include "lib/fd.h"

namespace postern {

Result<Envelope> receive_envelope(const Job& job) {
  if (job.fd(0) < 0 || job.fd(1) < 0)
    return temporary("read the message: descriptors 0 and 1 must be open", 54);
  Result<std::string> bytes = read_whole(job.fd(1), kEnvelopeLimitBytes, "read the envelope");
  if (!bytes) {
    const Failure& failure = bytes.failure();
    return failure.permanent() ? permanent(failure.text, 11, "5.5.3") : temporary(failure.text, 54);
  }
  Result<Envelope> envelope = parse_envelope(*bytes);
  if (!envelope || job.environment.get("POSTERN_EXTRAS") != "5") return envelope;
  Result<std::string> extras = read_whole(job.fd(5), kEnvelopeLimitBytes, "read the extras");
  if (!extras) return temporary(extras.failure().text, 54);
  if (Result<void> parsed = parse_extras(*extras, *envelope); !parsed) return parsed.failure();
  return envelope;
}

int refuse(const Job& job, const SmtpReply& reply) {
  const bool said = job.fd(6) >= 0 && write_all(job.fd(6), queue_reason(reply), "write the reason").ok();
  if (said) return 82;
  return reply.permanent() ? 31 : 81;
}

}  // namespace postern
