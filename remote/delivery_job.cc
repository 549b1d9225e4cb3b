#include "remote/delivery_job.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>

#include "lib/child.h"
#include "lib/mid.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kPipedMessageLimitBytes = size_t{4} << 30;

// A message that can be read more than once, and its size: `fd` itself when it is a file, else `copy`, which
// has no name.
Result<void> make_readable(int fd, OutgoingMessage& message, Fd& copy) {
  struct stat status {};
  if (::fstat(fd, &status) < 0) return os_failure("read the message", errno);
  if (S_ISREG(status.st_mode)) {
    message.fd = fd;
    message.size = static_cast<uint64_t>(status.st_size);
    return {};
  }
  const char* directory = ::getenv("TMPDIR");
  copy.reset(::open(directory != nullptr ? directory : "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!copy) return os_failure("make a temporary file", errno);
  Result<size_t> copied = copy_to_end(fd, copy.get(), kPipedMessageLimitBytes, "copy the message");
  if (!copied) return copied.failure();
  message.fd = copy.get();
  message.size = *copied;
  return {};
}

// The envelope of a job: its arguments and its extras.
Result<Envelope> envelope_of(const Job& job) {
  Envelope envelope;
  envelope.sender = job.arguments[1];
  for (size_t i = 2; i < job.arguments.size(); ++i) envelope.recipients.push_back({job.arguments[i], "", ""});
  if (job.environment.get("POSTERN_EXTRAS") != "5") {
    envelope.body = job.environment.get_or("POSTERN_BODY", "");
    return envelope;
  }
  Result<std::string> extras = read_whole(job.fd(5), kEnvelopeLimitBytes, "read the extras");
  if (!extras) return temporary(extras.failure().text);
  if (Result<void> parsed = parse_extras(*extras, envelope); !parsed) return temporary(parsed.failure().text);
  return envelope;
}

}  // namespace

int run_delivery_job(Job& job, Deliverer& deliverer, std::string& output) {
  if (job.arguments.size() < 3 || job.arguments.front().empty() || job.fd(0) < 0) {
    log_warning("deliver", "the arguments are HOST SENDER RECIPIENT..., the message is descriptor 0");
    return 100;
  }
  if (job.client_gone()) return 111;
  DeliveryOrder order;
  order.domain = job.arguments[0];
  order.route = job.environment.get_or("POSTERN_ROUTE", "");
  order.kept = job.environment;
  order.mid = std::to_string(parse_mid(job.environment.get_or("POSTERN_MID", "")).value_or(0));
  const std::string rids = job.environment.get_or("POSTERN_RIDS", "");
  for (const std::string_view rid : words(rids))
    order.rids.push_back(std::to_string(parse_number(rid).value_or(0)));
  const size_t recipients = job.arguments.size() - 2;
  if (order.rids.size() != recipients) {
    order.rids.clear();
    for (size_t i = 0; i < recipients; ++i) order.rids.push_back(std::to_string(i));
  }
  Fd copy;
  order.message.refuse_8bit = deliverer.settings().refuse_8bit;
  Result<void> ready = make_readable(job.fd(0), order.message, copy);
  if (ready) {
    Result<Envelope> envelope = envelope_of(job);
    if (envelope) {
      order.message.envelope = std::move(*envelope);
    } else {
      ready = envelope.failure();
    }
  }
  std::vector<RecipientResult> results =
      ready ? deliverer.deliver(order) : all_failed(recipients, ready.failure());
  if (job.connection < 0) as_temporary(results);
  output += format_reports(results);
  return 0;
}

}  // namespace postern
