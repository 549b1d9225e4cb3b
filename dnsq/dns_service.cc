#include "dnsq/dns_service.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <list>
#include <vector>

#include "dnsq/descriptors.h"
#include "dnsq/inquiry.h"
#include "lib/child.h"
#include "lib/log.h"
#include "lib/request.h"
#include "lib/signals.h"

namespace postern {

namespace {

// One outstanding question on each: so many may wait for slow name servers before others have to.
constexpr size_t kConnectionLimit = 4096;
constexpr int kAcceptsAtATime = 64;
constexpr int64_t kIdleLimitMilliseconds = 60000;  // then a silent connection makes room
constexpr int64_t kPauseMilliseconds = 100;        // after accept has failed for want of descriptors

struct Client {
  Fd socket;
  std::unique_ptr<Inquiry> inquiry;
  int64_t deadline = 0;  // of the inquiry, or of the silence
  bool gone = false;
};

class DnsService {
 public:
  DnsService(int listening, const ServeOptions& options, std::unique_ptr<DnsSource> source)
      : listening_(listening), options_(options), source_(std::move(source)) {}

  void run(const OpenSource& open, const sigset_t& while_waiting) {
    while (asked.stop == 0 || busy()) {
      if (asked.reload != 0) reload(open);
      if (!wait(while_waiting)) continue;
      if (waits_.front().revents != 0) accept_clients();
      process_sources();
      read_questions();
      finish_inquiries();
    }
  }

 private:
  [[nodiscard]] bool busy() const {
    return std::any_of(clients_.begin(), clients_.end(),
                       [](const Client& client) { return client.inquiry != nullptr; });
  }

  void reload(const OpenSource& open) {
    asked.reload = 0;
    Result<std::unique_ptr<DnsSource>> fresh = open();
    if (!fresh) {
      log_warning("reload", fresh.failure());
      return;
    }
    old_sources_.push_back(std::exchange(source_, std::move(*fresh)));
  }

  // waits_: the listening socket, the source, the old sources, then the clients, each at its place in the
  // list.
  bool wait(const sigset_t& while_waiting) {
    waits_.clear();
    const bool room =
        asked.stop == 0 && clients_.size() < connection_limit_ && now_milliseconds() >= accept_after_;
    waits_.push_back({room ? listening_ : -1, POLLIN, 0});
    waits_.push_back({source_->descriptor(), POLLIN, 0});
    for (const auto& source : old_sources_) waits_.push_back({source->descriptor(), POLLIN, 0});
    first_client_ = waits_.size();
    int64_t next = now_milliseconds() + kIdleLimitMilliseconds;
    if (accept_after_ > now_milliseconds()) next = std::min(next, accept_after_);
    for (const Client& client : clients_) {
      // A client with a question on its way is only watched for going away.
      waits_.push_back(
          {client.socket.get(), static_cast<short>(client.inquiry ? POLLRDHUP : POLLIN | POLLRDHUP), 0});
      next = std::min(next, client.deadline);
    }
    const int64_t left = std::max<int64_t>(next - now_milliseconds(), 0);
    const timespec timeout{left / 1000, left % 1000 * 1000000};
    return ::ppoll(waits_.data(), waits_.size(), &timeout, &while_waiting) >= 0;
  }

  void accept_clients() {
    for (int i = 0; i < kAcceptsAtATime && clients_.size() < connection_limit_; ++i) {
      Fd socket{::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
      if (!socket) {
        if (errno == EINTR || errno == ECONNABORTED || errno == EAGAIN) return;
        log_warning("accept a connection", os_failure("accept", errno));
        accept_after_ = now_milliseconds() + kPauseMilliseconds;
        return;
      }
      if (client_allowed(socket.get(), options_))
        clients_.push_back({std::move(socket), nullptr, now_milliseconds() + kIdleLimitMilliseconds});
    }
  }

  void process_sources() {
    source_->process();
    for (const auto& source : old_sources_) source->process();
    std::erase_if(old_sources_, [](const auto& source) { return source->outstanding() == 0; });
  }

  void read_questions() {
    // Those just accepted stand behind the ones that waits_ knows.
    size_t at = first_client_;
    for (auto client = clients_.begin(); at < waits_.size(); ++client, ++at) {
      if (waits_[at].revents == 0) continue;
      const bool hung_up = (waits_[at].revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
      if (client->inquiry != nullptr || (waits_[at].revents & POLLIN) == 0) {
        client->gone = hung_up;
      } else {
        take_question(*client);
      }
    }
  }

  void take_question(Client& client) {
    Result<Incoming> incoming = receive_request(client.socket.get());
    if (!incoming) log_warning("answer a question", incoming.failure());
    if (!incoming || incoming->came == Came::end_of_file) {
      client.gone = true;
      return;
    }
    Result<DnsQuestion> question = parse_dns_question(incoming->request.arguments);
    if (!question) {
      reply(client, 100, "");
      return;
    }
    client.deadline = now_milliseconds() + kQuestionDeadlineMilliseconds;
    client.inquiry = std::make_unique<Inquiry>(std::move(*question), *source_);
    client.inquiry->start();
  }

  void reply(Client& client, int exit_code, std::string output) {
    const Reply answer{.exit_code = exit_code, .output = std::move(output)};
    if (Result<void> sent = send_reply(client.socket.get(), answer); !sent) client.gone = true;
    client.inquiry.reset();
    client.deadline = now_milliseconds() + kIdleLimitMilliseconds;
  }

  void finish_inquiries() {
    const int64_t now = now_milliseconds();
    for (Client& client : clients_) {
      if (client.gone) continue;
      if (client.inquiry == nullptr) {
        client.gone = now >= client.deadline;
        continue;
      }
      if (!client.inquiry->finished() && now >= client.deadline) client.inquiry->give_up("no answer in time");
      if (!client.inquiry->finished()) continue;
      const DnsAnswer& answer = client.inquiry->answer();
      reply(client, answer_exit_code(answer), answer_text(answer));
    }
    clients_.remove_if([](const Client& client) { return client.gone; });
  }

  int listening_;
  const ServeOptions& options_;
  const size_t connection_limit_ = std::min(kConnectionLimit, descriptors_for_each());
  // Sources before clients: an inquiry says goodbye to its source when it goes.
  std::unique_ptr<DnsSource> source_;
  std::vector<std::unique_ptr<DnsSource>> old_sources_;  // until what was asked of them is answered
  std::list<Client> clients_;
  std::vector<pollfd> waits_;
  size_t first_client_ = 0;  // in waits_
  int64_t accept_after_ = 0;
};

}  // namespace

int serve_dns(int listening, const ServeOptions& options, const OpenSource& open) {
  raise_descriptor_limit();
  Result<std::unique_ptr<DnsSource>> source = open();
  if (!source) {
    log_critical("start", source.failure().text);
    return source.failure().permanent() ? 100 : 111;
  }
  ::fcntl(listening, F_SETFD, FD_CLOEXEC);
  ::fcntl(listening, F_SETFL, O_NONBLOCK);
  // The resolver's thread, made later, never gets them.
  const sigset_t while_waiting = catch_signals({SIGTERM, SIGINT, SIGHUP});
  DnsService(listening, options, std::move(*source)).run(open, while_waiting);
  return 0;
}

}  // namespace postern
