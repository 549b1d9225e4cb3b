// postern-bounce - tell a sender what could not be delivered (DSN, RFC 3464), straight into the queue.
//
//   fd 0 in    the message that failed, a file
//   fd 3 in    what failed and why: NUL-ended records, see queue/bounce_request.h
//   env        POSTERN_HOME; POSTERN_QUEUE the program that takes the DSN (default postern-queue)
//   user       posternq
//   exit       0 the DSN is durable, 111 not yet, 100 there is nobody to tell (null reverse-path)

#include <unistd.h>

#include "lib/child.h"
#include "lib/control.h"
#include "lib/fd.h"
#include "lib/log.h"
#include "lib/mid.h"
#include "lib/program.h"
#include "lib/submit.h"
#include "lib/text.h"
#include "queue/dsn.h"

namespace {

using namespace postern;

constexpr size_t kRequestBytes = 256 * 1024 * 1024;
constexpr size_t kHeadersLimitBytes = 65536;  // of the returned message
constexpr int64_t kQueueMilliseconds = 240000;

// The header of the message in `fd`, without the empty line; cut at a line end when it is too long.
Result<std::string> returned_headers(int fd) {
  std::string text(kHeadersLimitBytes, '\0');
  Result<size_t> got = pread_full(fd, text, 0, "read the message");
  if (!got) return got.failure();
  text.resize(*got);
  if (const size_t end = text.starts_with('\n') ? 0 : text.find("\n\n"); end != std::string::npos) {
    text.resize(text.starts_with('\n') ? 0 : end + 1);
  } else if (*got == kHeadersLimitBytes) {
    text.resize(text.rfind('\n') + 1);
  }
  return text;
}

Result<Fd> compose(const BounceRequest& request, uint64_t dsn_mid) {
  Result<std::string> me = control_me();
  if (!me) return me.failure();
  const DsnParts parts = make_dsn(request, *me, dsn_mid, now_microseconds() / 1000000);
  Result<Fd> dsn = memory_file_with("dsn", {});
  if (!dsn) return dsn;
  Result<void> wrote = write_all(dsn->get(), parts.head, "write the DSN");
  if (!wrote) return wrote.failure();
  if (request.full) {
    Result<size_t> size = file_size(0, "read the message");
    if (!size) return size.failure();
    wrote = copy_range(0, 0, *size, dsn->get(), "copy the message");
  } else {
    Result<std::string> headers = returned_headers(0);
    if (!headers) return headers.failure();
    wrote = write_all(dsn->get(), *headers, "write the DSN");
  }
  if (!wrote) return wrote.failure();
  wrote = write_all(dsn->get(), parts.tail, "write the DSN");
  if (!wrote) return wrote.failure();
  if (Result<void> sealed = seal(dsn->get()); !sealed) return sealed.failure();
  return dsn;
}

int bounce() {
  Result<std::string> bytes = read_whole(3, kRequestBytes, "read the bounce request");
  Result<BounceRequest> request =
      bytes ? parse_bounce_request(*bytes) : Result<BounceRequest>(bytes.failure());
  if (!request) {
    log_warning("bounce", request.failure());
    return 111;
  }
  if (request->sender.empty()) return 100;  // never a bounce of a bounce (RFC 5321 6.1)
  const uint64_t dsn_mid = make_mid();
  Result<Fd> dsn = compose(*request, dsn_mid);
  if (!dsn) {
    log_warning("bounce MID " + std::to_string(request->mid), dsn.failure());
    return 111;
  }
  Environment environment = Environment::of_process();
  environment.set("POSTERN_MID", std::to_string(dsn_mid));
  environment.set("POSTERN_PARENT_MID", std::to_string(request->mid));
  Envelope envelope;
  envelope.recipients.push_back({.address = request->sender, .notify = "NEVER", .orcpt = {}});
  const QueueAnswer answer = submit(environment.get_or("POSTERN_QUEUE", "postern-queue"), dsn->get(),
                                    envelope, environment, now_milliseconds() + kQueueMilliseconds);
  if (answer.exit_code != 0) {
    log_warning("queue the bounce of MID " + std::to_string(request->mid), queue_reply(answer).line());
    return 111;
  }
  log_info("MID " + std::to_string(dsn_mid) + " was generated for bounce of MID " +
           std::to_string(request->mid));
  return 0;
}

int run(int, char**) {
  ::alarm(300);
  return bounce();
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("postern-bounce", {}, run, argc, argv);
}
