#include "queue/bounces.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "lib/child.h"
#include "lib/log.h"
#include "queue/bounce_request.h"

namespace postern {

namespace {

BounceRequest request_for(const Delivery& delivery) {
  const Envelope& envelope = delivery.queued.envelope;
  BounceRequest request{.mid = delivery.mid,
                        .sender = envelope.sender,
                        .envid = envelope.envid,
                        .arrival = delivery.queued.born / 1000000,
                        .full = envelope.ret == "FULL",
                        .recipients = {}};
  for (const auto& [rid, why] : delivery.failed) {
    const Recipient& recipient = envelope.recipients.at(rid);
    request.recipients.push_back({recipient.address, recipient.orcpt, why});
  }
  return request;
}

Result<pid_t> start_process(const Delivery& delivery) {
  Result<Fd> records = memory_file_with("bounce", serialise_bounce_request(request_for(delivery)));
  if (!records) return records.failure();
  ChildOptions options;
  options.arguments = {"postern-bounce"};
  options.environment = Environment::of_process();
  options.fds = {{delivery.message.get(), 0}, {records->get(), 3}};
  return start_child(options);
}

}  // namespace

bool Bounces::start(const Delivery& delivery) {
  Result<pid_t> pid = start_process(delivery);
  if (!pid) {
    log_warning("bounce MID " + std::to_string(delivery.mid), pid.failure());
    return false;
  }
  Fd process{static_cast<int>(::syscall(SYS_pidfd_open, *pid, 0))};
  const int fd = process.get();
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  if (fd < 0 || ::epoll_ctl(poller_, EPOLL_CTL_ADD, fd, &event) < 0) {
    log_warning("follow the bounce of MID " + std::to_string(delivery.mid), os_failure("epoll_ctl", errno));
    ::kill(*pid, SIGKILL);
    while (::waitpid(*pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    return false;
  }
  running_.emplace(fd, Running{std::move(process), *pid, delivery.mid});
  return true;
}

Bounces::Ended Bounces::take(int fd) {
  const auto found = running_.find(fd);
  int status = 0;
  while (::waitpid(found->second.pid, &status, 0) < 0 && errno == EINTR) {
  }
  const Ended ended{.mid = found->second.mid, .told = WIFEXITED(status) && WEXITSTATUS(status) == 0};
  running_.erase(found);
  return ended;
}

}  // namespace postern
