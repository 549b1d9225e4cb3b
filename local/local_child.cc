#include "local/local_child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "lib/call.h"
#include "lib/request.h"

namespace postern {

namespace {

constexpr size_t kLineLimitBytes = 4200;        // a path and a few words
constexpr size_t kChildrenKept = 4;             // of different users
constexpr unsigned kDeliveriesPerChild = 1000;  // bounds what a leak may cost
constexpr int64_t kIdleMilliseconds = 60 * 1000;

bool same(const std::optional<Identity>& a, const std::optional<Identity>& b) {
  if (!a || !b) return a.has_value() == b.has_value();
  return a->uid == b->uid && a->gid == b->gid;
}

// The first line of what it said. It runs as the mailbox's user, so nothing of it is believed: bytes that
// could forge a line of the log go. (Foreign bytes that an honest one prints are escaped by it.)
std::string first_line(std::string_view said) {
  std::string line(said.substr(0, std::min(said.find('\n'), kLineLimitBytes)));
  std::replace_if(
      line.begin(), line.end(), [](char c) { return c < 0x20 || c > 0x7e; }, '?');
  return line;
}

// The letter of the report, then the line. The letter says how a delivery ended, the exit code whether there
// was one.
MailboxOutcome judge(const Reply& reply) {
  const char letter = reply.output.empty() ? '\0' : reply.output.front();
  std::string line = first_line(std::string_view(reply.output).substr(reply.output.empty() ? 0 : 1));
  if (line.empty())
    line = "4.3.0 postern-local ended with code " + std::to_string(reply.exit_code) + " without a word";
  if (reply.exit_code == kDelivered) {
    const bool known = letter == 'p' || letter == 'e';
    return {kDelivered, std::move(line), known ? letter : 'r'};
  }
  const bool never = reply.exit_code == kNever;
  return {never ? kNever : kTryAgain, std::move(line), never ? 'h' : 's'};
}

struct Started {
  pid_t pid;
  Fd socket;
};

Result<Started> start_local(const std::optional<Identity>& identity, const Environment& environment) {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) < 0)
    return os_failure("make a socket", errno);
  Fd ours{ends[0]};
  const Fd theirs{ends[1]};
  // What runs as the mailbox's user gets no way to our log.
  const Fd nowhere{::open("/dev/null", O_RDWR | O_CLOEXEC)};
  if (!nowhere) return os_failure("open /dev/null", errno);
  ChildOptions options;
  options.arguments = {"postern-local", "--worker"};
  options.fds = {{theirs.get(), 0}, {nowhere.get(), 2}};
  options.environment = environment;
  options.identity = identity ? &*identity : nullptr;
  Result<pid_t> pid = start_child(options);
  if (!pid) return pid.failure();
  return Started{*pid, std::move(ours)};
}

}  // namespace

void LocalChildren::end_all() {
  while (!children_.empty()) end(children_.size() - 1);
}

// An idle one has nothing to lose, and one whose user got hold of it shall not keep us waiting.
void LocalChildren::end(size_t index) {
  const pid_t pid = children_[index].pid;
  ::kill(-pid, SIGKILL);
  ::kill(pid, SIGKILL);
  while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  children_.erase(children_.begin() + static_cast<std::ptrdiff_t>(index));
}

int64_t LocalChildren::end_stale() {
  const int64_t now = now_milliseconds();
  int64_t next = -1;
  for (size_t i = children_.size(); i-- > 0;) {
    const int64_t left = children_[i].last_used + kIdleMilliseconds - now;
    if (children_[i].deliveries >= kDeliveriesPerChild || left <= 0) {
      end(i);
    } else {
      next = next < 0 ? left : std::min(next, left);
    }
  }
  return next;
}

// The index of one that runs as this user, started where there is none.
Result<size_t> LocalChildren::child_for(const std::optional<Identity>& identity) {
  for (size_t i = 0; i < children_.size(); ++i) {
    if (same(children_[i].identity, identity)) return i;
  }
  if (children_.size() == kChildrenKept) {
    const auto oldest =
        std::min_element(children_.begin(), children_.end(),
                         [](const Child& a, const Child& b) { return a.last_used < b.last_used; });
    end(static_cast<size_t>(oldest - children_.begin()));
  }
  Result<Started> started = start_local(identity, environment_);
  if (!started) return started.failure();
  children_.push_back({started->pid, std::move(started->socket), identity});
  return children_.size() - 1;
}

MailboxOutcome LocalChildren::deliver(const std::optional<Identity>& identity, const LocalJob& job,
                                      int64_t deadline_milliseconds) {
  if (identity && (identity->uid == 0 || identity->gid == 0)) {
    return mailbox_outcome_of(temporary("deliver as root; name another user in users/assign", 0, "4.3.5"));
  }
  (void)end_stale();
  Request request{.arguments = job.arguments, .environment = {}, .fds = {{job.message, 0}}};
  if (!job.mid.empty()) request.environment.set("POSTERN_MID", job.mid);
  if (job.keep_unsigned) request.environment.set("POSTERN_SIGN", "no");
  if (job.extras >= 0) {
    request.environment.set("POSTERN_EXTRAS", "5");
    request.fds.push_back({job.extras, 5});
  }
  for (const bool first_try : {true, false}) {
    Result<size_t> index = child_for(identity);
    if (!index) return mailbox_outcome_of(index.failure());
    if (Result<void> sent = send_request(children_[*index].socket.get(), request); !sent) {
      // It ended while it was idle; the request never reached it.
      end(*index);
      if (first_try) continue;
      return mailbox_outcome_of(sent.failure());
    }
    Result<Reply> reply = await_reply(children_[*index].socket.get(), deadline_milliseconds);
    if (!reply) {
      end(*index);
      return mailbox_outcome_of(reply.failure());
    }
    children_[*index].deliveries++;
    children_[*index].last_used = now_milliseconds();
    return judge(*reply);
  }
  return mailbox_outcome_of(temporary("reach postern-local"));
}

}  // namespace postern
