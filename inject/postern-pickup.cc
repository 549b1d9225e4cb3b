// postern-pickup - take mail from the users of this host, and hand it to the scanner as a relay client's.
//
//   usage      postern-pickup [--serve]
//   fd 0,1,5   message, envelope and extras as for postern-queue(8)
//   fd 6 out   reason, only with exit 82
//   socket     with --serve: descriptor 3, open to every local user (postern-bind --everybody)
//   env        QMAILQUEUE (default @scanq), of its own; a request's is not believed
//   control    me, databytes, maxrcpt, minfreememory, pickupusers, concurrencypickup
//   user       posternp
//   exit       0 taken and durable, else as postern-queue(8)
//
// One process waits for requests and forks one for each; Turns says whose is next.

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "inject/counter.h"
#include "inject/incoming.h"
#include "lib/child.h"
#include "lib/log.h"
#include "lib/mid.h"
#include "lib/program.h"
#include "lib/receive.h"
#include "lib/request.h"
#include "lib/text.h"

namespace {

using namespace postern;
using namespace postern::inject;

constexpr int64_t kQueueMilliseconds = 235000;  // above scanq's 230 s, below the 240 s of our clients
constexpr unsigned kReadSeconds = 20;           // a user's own file system may never answer
constexpr unsigned kRequestSeconds = 300;
constexpr rlim_t kOtherDescriptors = 32;  // that are no waiting connection

// One message; `uid` is the kernel's word on who hands it in.
class Pickup {
 public:
  Pickup(const PickupSettings& settings, uid_t uid) : settings_(settings), uid_(uid) {}
  int take(Job& job);

 private:
  [[nodiscard]] static Result<void> check_descriptors(const Job& job);
  int refuse_message(const Job& job, const SmtpReply& reply);
  void log_start(const Envelope& envelope, const Claims& claims);
  void log_recipients(const Envelope& envelope);
  [[nodiscard]] std::string label() const {
    return "MID " + std::to_string(mid_) + " UID " + std::to_string(uid_);
  }

  const PickupSettings& settings_;
  uid_t uid_;
  uint64_t mid_ = make_mid();
  LogLines log_;
};

int Pickup::take(Job& job) {
  const Claims claims = claims_of(job.environment);
  if (!settings_.may(uid_)) return refuse_message(job, refusal_of_user(uid_, claims));
  Result<void> fits = check_descriptors(job);
  Result<Envelope> envelope = fits ? receive_envelope(job) : fits.failure();
  if (!envelope) {
    log_warning("take a message of user " + std::to_string(uid_), envelope.failure());
    return queue_exit_code(envelope.failure());
  }
  for (Recipient& recipient : envelope->recipients) recipient.route.clear();  // where mail goes is not theirs
  log_start(*envelope, claims);
  SmtpReply checked = check_number(*envelope, claims, settings_.most_recipients);
  if (checked.accepted()) checked = check_envelope(*envelope, settings_.me);
  if (!checked.accepted()) {
    log_.info(label() + " To: " + std::to_string(envelope->recipients.size()) + " recipients");
    return refuse_message(job, checked);
  }
  log_recipients(*envelope);
  const OwnMessage message = copy_message(job.fd(0), received_line(uid_, mid_, settings_.me), settings_);
  if (!message.reply.accepted()) return refuse_message(job, message.reply);
  if (job.client_gone()) {
    log_.info("Message aborted MID " + std::to_string(mid_) + " Receiving aborted");
    return 54;
  }
  ::alarm(kRequestSeconds);
  const QueueAnswer answer =
      submit(settings_.queue_program, message.file.get(), *envelope, message_environment(mid_, claims),
             now_milliseconds() + kQueueMilliseconds);
  const SmtpReply reply = queue_reply(answer);
  if (!reply.accepted()) return refuse_message(job, reply);
  log_.info("MID " + std::to_string(mid_) + " ready " + std::to_string(message.size_bytes) + " bytes from <" +
            printable(envelope->sender) + ">");
  return 0;
}

// Files only: a pipe might never end.
Result<void> Pickup::check_descriptors(const Job& job) {
  if (job.connection < 0) return {};
  for (const auto& [number, fd] : job.fds) {
    struct stat status {};
    if (::fstat(fd.get(), &status) < 0 || !S_ISREG(status.st_mode))
      return temporary("read descriptor " + std::to_string(number) + ": it is no file", 54);
  }
  return {};
}

int Pickup::refuse_message(const Job& job, const SmtpReply& reply) {
  log_.info(label() + " rejected: " + printable(reply.line()));
  return refuse(job, reply);
}

void Pickup::log_start(const Envelope& envelope, const Claims& claims) {
  log_.info("Start " + label());
  if (!claims.mid.empty()) log_.info(label() + " called MID " + claims.mid + " by its sender");
  if (!claims.parent.empty()) log_.info(label() + " said to be made of MID " + claims.parent);
  log_.info(label() + " From: <" + printable(envelope.sender) + ">");
}

void Pickup::log_recipients(const Envelope& envelope) {
  for (size_t rid = 0; rid < envelope.recipients.size(); ++rid)
    log_.info(label() + " RID " + std::to_string(rid) + " To: <" +
              printable(envelope.recipients[rid].address) + ">");
}

// In the child: one request, then the end.
void serve_connection(const Fd& connection, uid_t uid, const PickupSettings& settings) {
  ::alarm(kReadSeconds);
  Result<Incoming> incoming = receive_request(connection.get());
  if (!incoming) log_warning("answer user " + std::to_string(uid), incoming.failure());
  if (!incoming || incoming->came == Came::end_of_file) return;
  Job job{.arguments = std::move(incoming->request.arguments),
          .environment = std::move(incoming->request.environment),
          .fds = std::move(incoming->request.fds),
          .connection = connection.get()};
  const Reply reply{.exit_code = Pickup(settings, uid).take(job), .output = {}};
  if (Result<void> sent = send_reply(connection.get(), reply); !sent)
    log_warning("answer user " + std::to_string(uid), sent.failure());
}

bool is_listening(int fd) {
  int listening = 0;
  socklen_t length = sizeof listening;
  return ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &length) == 0 && listening != 0;
}

int serve(PickupSettings& settings) {
  if (!is_listening(kServiceFd)) {
    log_critical("start", "descriptor 3 is no listening socket; start it behind postern-bind");
    return 111;
  }
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  const rlim_t room = std::max<rlim_t>(files.rlim_cur, 2 * kOtherDescriptors) - kOtherDescriptors;
  settings.turns.waiting = std::min<size_t>(settings.turns.waiting, room);
  const auto serve_one = [&](const Fd& connection, uid_t uid) {
    serve_connection(connection, uid, settings);
  };
  const auto reload = [&] {
    Result<PickupSettings> read = read_pickup_settings();
    if (!read) return log_critical("read the settings", read.failure().text);
    settings = std::move(*read);
  };
  return Counter(kServiceFd, settings.turns, serve_one, reload).run();
}

// By hand: descriptors and environment are our own, and so is the user.
int serve_by_hand(const PickupSettings& settings) {
  ::alarm(kRequestSeconds);
  Job job{.arguments = {}, .environment = Environment::of_process(), .fds = {}, .connection = -1};
  for (const int number : {0, 1, 5, 6}) {
    if (::fcntl(number, F_GETFD) >= 0) job.fds.emplace_back(number, Fd(number));
  }
  return Pickup(settings, ::getuid()).take(job);
}

int run(int argc, char** argv) {
  const bool resident = argc == 2 && std::string_view(argv[1]) == "--serve";
  if (argc > 1 && !resident) {
    log_critical("start", "usage: postern-pickup [--serve]");
    return 100;
  }
  Result<PickupSettings> settings = read_pickup_settings();
  if (!settings) {
    log_critical("read the settings", settings.failure().text);
    return resident ? 111 : 55;
  }
  return resident ? serve(*settings) : serve_by_hand(*settings);
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("postern-pickup", {.no_memory = 51, .bug = 81}, run, argc, argv);
}
