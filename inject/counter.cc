#include "inject/counter.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <vector>

#include "lib/child.h"
#include "lib/log.h"
#include "lib/signals.h"

namespace postern::inject {

namespace {

constexpr int64_t kIdleMilliseconds = 10000;  // for which a client may be connected without asking
constexpr int64_t kPauseMilliseconds = 200;   // after a fault of the system

}  // namespace

int Counter::run() {
  const sigset_t while_waiting = catch_signals({SIGTERM, SIGINT, SIGHUP, SIGCHLD});
  ::fcntl(listening_, F_SETFD, FD_CLOEXEC);
  ::fcntl(listening_, F_SETFL, ::fcntl(listening_, F_GETFL) | O_NONBLOCK);
  while (asked.stop == 0) {
    if (asked.reload != 0) {
      asked.reload = 0;
      reload_();
    }
    wait_for_something(while_waiting);
    reap();
    close_idle();
    serve_next();
  }
  // Those who have asked are served; who has not is told by the end of the connection.
  std::erase_if(clients_, [&](const auto& client) {
    if (client.second.asked) return false;
    turns_.leave(client.first);
    return true;
  });
  while (!clients_.empty() || !children_.empty()) {
    serve_next();
    std::vector<pollfd> nothing;
    wait_on(nothing, while_waiting);
    reap();
  }
  return 0;
}

bool Counter::wait_on(std::vector<pollfd>& polled, const sigset_t& mask) const {
  const int64_t wait = next_wait();
  const timespec timeout{wait / 1000, wait % 1000 * 1000000};
  return ::ppoll(polled.data(), polled.size(), wait < 0 ? nullptr : &timeout, &mask) > 0;
}

void Counter::wait_for_something(const sigset_t& mask) {
  std::vector<pollfd> polled{{pause_until_ > 0 ? -1 : listening_, POLLIN, 0}};
  for (const auto& [connection, client] : clients_) {
    if (!client.asked) polled.push_back({connection, POLLIN, 0});
  }
  if (!wait_on(polled, mask)) return;
  for (size_t i = 1; i < polled.size(); ++i) {
    if (polled[i].revents != 0) look_at(clients_.at(polled[i].fd));
  }
  if (polled[0].revents != 0) accept_clients();
}

int64_t Counter::next_wait() const {
  int64_t until = pause_until_ > 0 ? pause_until_ : -1;
  for (const auto& [connection, client] : clients_) {
    const int64_t end = client.since + kIdleMilliseconds;
    if (!client.asked && (until < 0 || end < until)) until = end;
  }
  return until < 0 ? -1 : std::max<int64_t>(0, until - now_milliseconds());
}

void Counter::accept_clients() {
  for (;;) {
    Fd connection{::accept4(listening_, nullptr, nullptr, SOCK_CLOEXEC)};
    if (!connection) {
      if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
        pause("accept a connection", os_failure("accept", errno));
      return;
    }
    ucred peer{};
    socklen_t length = sizeof peer;
    if (::getsockopt(connection.get(), SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0) continue;
    const int number = connection.get();
    const std::optional<int> too_many = turns_.arrive(number, peer.uid);
    if (too_many == number) {
      turns_.leave(number);
      continue;  // closed: its program says that it has to try again
    }
    clients_.insert_or_assign(number, Client{std::move(connection), peer.uid, now_milliseconds()});
    if (too_many) turn_away(*too_many);
  }
}

void Counter::pause(const char* doing, const Failure& failure) {
  log_warning(doing, failure);
  pause_until_ = now_milliseconds() + kPauseMilliseconds;
}

void Counter::turn_away(int connection) {
  turns_.leave(connection);
  clients_.erase(connection);
}

// It has asked for something, or has gone.
void Counter::look_at(Client& client) {
  char byte = 0;
  const int connection = client.connection.get();
  if (::recv(connection, &byte, 1, MSG_PEEK | MSG_DONTWAIT) <= 0) return turn_away(connection);
  client.asked = true;
  turns_.ask(connection);
}

void Counter::close_idle() {
  const int64_t now = now_milliseconds();
  for (auto it = clients_.begin(); it != clients_.end();) {
    const bool idle = !it->second.asked && now - it->second.since >= kIdleMilliseconds;
    if (idle) turns_.leave(it->first);
    it = idle ? clients_.erase(it) : std::next(it);
  }
}

void Counter::serve_next() {
  if (now_milliseconds() < pause_until_) return;
  pause_until_ = 0;
  while (const std::optional<int> connection = turns_.next()) {
    const auto client = clients_.find(*connection);
    if (client == clients_.end()) continue;
    const uid_t uid = client->second.uid;
    const pid_t pid = ::fork();
    if (pid == 0) {
      const Fd own = std::move(client->second.connection);
      clients_.clear();  // else the others would not see the end of theirs
      ::close(listening_);
      serve_in_child(own, uid);
    }
    if (pid > 0) {
      children_[pid] = uid;
      clients_.erase(client);
      continue;
    }
    pause("start a process", os_failure("fork", errno));
    turns_.done(uid);
    if (const std::optional<int> out = turns_.arrive(*connection, uid)) return turn_away(*out);
    turns_.ask(*connection);
    return;
  }
}

void Counter::serve_in_child(const Fd& connection, uid_t uid) {
  for (const int number : {SIGHUP, SIGTERM, SIGINT}) ::signal(number, SIG_IGN);
  ::signal(SIGCHLD, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  serve_(connection, uid);
  ::_exit(0);
}

void Counter::reap() {
  int status = 0;
  for (pid_t pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) {
    const auto child = children_.find(pid);
    if (child == children_.end()) continue;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
      log_warning("take a message of user " + std::to_string(child->second),
                  WIFSIGNALED(status) ? "killed by signal " + std::to_string(WTERMSIG(status))
                                      : "exit code " + std::to_string(WEXITSTATUS(status)));
    turns_.done(child->second);
    children_.erase(child);
  }
}

}  // namespace postern::inject
