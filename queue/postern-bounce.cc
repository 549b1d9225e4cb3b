// postern-bounce - tell a sender what became of a message (DSN, RFC 3464), straight into the queue.
//
//   fd 0 in    the message, a file
//   fd 3 in    what became of it: NUL-ended records, see queue/bounce_request.h
//   env        POSTERN_HOME; POSTERN_QUEUE the program that takes the DSN (default postern-queue)
//   user       posternq
//   control    me; templates/bounce-NAME
//   exit       0 the DSN is durable, 111 not yet, 100 there is nobody to tell (it is a notification itself)

#include <unistd.h>

#include "lib/bounce_template.h"
#include "lib/child.h"
#include "lib/control.h"
#include "lib/fd.h"
#include "lib/log.h"
#include "lib/mid.h"
#include "lib/program.h"
#include "lib/quoted_printable.h"
#include "lib/submit.h"
#include "lib/text.h"
#include "lib/utf8.h"
#include "queue/dsn.h"

namespace {

using namespace postern;

constexpr size_t kRequestBytes = 256 * 1024 * 1024;
constexpr size_t kHeadersLimitBytes = 65536;  // of the returned message
constexpr size_t kDoubleBounceFullBytes = 262144;
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

Result<bool> has_eight_bit(int fd, size_t size) {
  std::string piece(65536, '\0');
  for (size_t at = 0; at < size;) {
    Result<size_t> got = pread_full(fd, piece, static_cast<off_t>(at), "read the message");
    if (!got) return got.failure();
    if (has_8bit_byte(std::string_view(piece).substr(0, *got))) return true;
    if (*got == 0) break;
    at += *got;
  }
  return false;
}

// RET counts only where something failed (RFC 3461 4.3). The postmaster gets what nobody else will, where it
// is not large.
bool returns_full(const BounceRequest& request, size_t size) {
  if (request.plain || !request.tells_of(Action::failed)) return false;
  if (request.sender.empty()) return size <= kDoubleBounceFullBytes;
  return request.full || (request.copy_bytes != 0 && size <= request.copy_bytes);
}

// What cannot be read is said, and stops no notification.
BounceTemplate words_for(const BounceRequest& request) {
  if (request.bounce_template.empty()) return {};
  Result<BounceTemplate> words = read_bounce_template(request.bounce_template);
  if (words) return std::move(*words);
  log_warning("use the template of the bounce of " + mid_text(request.mid), words.failure());
  return {};
}

struct Dsn {
  Fd file;
  bool full;
  bool eight_bit;
  bool smtputf8;
};

Result<Dsn> compose(const BounceRequest& request, uint64_t dsn_mid, bool full) {
  Result<std::string> me = control_me();
  if (!me) return me.failure();
  Result<size_t> size = file_size(0, "read the message");
  if (!size) return size.failure();
  full = full && returns_full(request, *size);
  Result<std::string> headers = full ? Result<std::string>(std::string()) : returned_headers(0);
  if (!headers) return headers.failure();
  Result<bool> eight_bit = full ? has_eight_bit(0, *size) : Result<bool>(has_8bit_byte(*headers));
  if (!eight_bit) return eight_bit.failure();
  const DsnParts parts = make_dsn(request, {.full = full, .eight_bit = *eight_bit}, *me, dsn_mid,
                                  now_microseconds() / 1000000, words_for(request));
  Result<Fd> file = memory_file_with("dsn", {});
  if (!file) return file.failure();
  Result<void> wrote = write_all(file->get(), parts.head, "write the DSN");
  if (wrote) {
    wrote =
        full ? copy_range(0, 0, *size, file->get(), "copy the message")
             : write_all(file->get(), parts.encodes ? quoted_printable(*headers) : *headers, "write the DSN");
  }
  if (wrote) wrote = write_all(file->get(), parts.tail, "write the DSN");
  if (wrote) wrote = seal(file->get());
  if (!wrote) return wrote.failure();
  return Dsn{
      .file = std::move(*file), .full = full, .eight_bit = parts.eight_bit, .smtputf8 = parts.smtputf8};
}

QueueAnswer queue_dsn(const BounceRequest& request, const Dsn& dsn, uint64_t dsn_mid) {
  Environment environment = Environment::of_process();
  environment.set("POSTERN_MID", std::to_string(dsn_mid));
  environment.set("POSTERN_PARENT_MID", std::to_string(request.mid));
  environment.set("POSTERN_SIGN", request.sign ? "yes" : "no");
  Envelope envelope;
  if (request.sender.empty()) envelope.sender = kDoubleBounceSender;
  envelope.recipients.push_back({.address = request.addressee(), .notify = "NEVER", .orcpt = {}});
  envelope.smtputf8 = dsn.smtputf8;
  if (dsn.eight_bit) envelope.body = "8BITMIME";
  return submit(environment.get_or("POSTERN_QUEUE", "postern-queue"), dsn.file.get(), envelope, environment,
                now_milliseconds() + kQueueMilliseconds);
}

std::string_view kind_of(const BounceRequest& request) {
  if (request.sender.empty()) return "double bounce";
  if (request.tells_of(Action::failed)) return "bounce";
  return request.tells_of(Action::delayed) ? "delay warning" : "delivery report";
}

int bounce(const BounceRequest& request) {
  const std::string mid = mid_text(request.mid);
  if (is_notification_sender(request.addressee())) return 100;  // never a bounce of a bounce (RFC 5321 6.1)
  const uint64_t dsn_mid = make_mid();
  for (bool full = true;; full = false) {
    Result<Dsn> dsn = compose(request, dsn_mid, full);
    if (!dsn) {
      log_warning("bounce " + mid, dsn.failure());
      return 111;
    }
    const QueueAnswer answer = queue_dsn(request, *dsn, dsn_mid);
    if (answer.exit_code == 0) break;
    const SmtpReply reply = queue_reply(answer);
    log_warning("queue the bounce of " + mid, reply.line());
    if (!reply.permanent() || !dsn->full) return 111;
    // It may be too large together with the whole message.
  }
  log_info(mid_text(dsn_mid) + " was generated for " + std::string(kind_of(request)) + " of " + mid);
  return 0;
}

int run(int, char**) {
  ::alarm(600);  // two calls of the queue program
  Result<std::string> bytes = read_whole(3, kRequestBytes, "read the bounce request");
  Result<BounceRequest> request =
      bytes ? parse_bounce_request(*bytes) : Result<BounceRequest>(bytes.failure());
  if (request) return bounce(*request);
  log_warning("bounce", request.failure());
  return 111;
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("postern-bounce", {}, run, argc, argv);
}
