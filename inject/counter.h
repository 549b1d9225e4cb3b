// The counter that the users of this host come to: accepts their connections, waits until they ask for
// something, and forks a process for each request in its turn.
#pragma once

#include <poll.h>
#include <signal.h>
#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "inject/turns.h"
#include "lib/fd.h"
#include "lib/result.h"

namespace postern::inject {

class Counter {
 public:
  // In the child: reads the request, does it, answers. `uid` is the kernel's word on the client.
  using Serve = std::function<void(const Fd& connection, uid_t uid)>;

  // `reload` is called on SIGHUP. The limits stay as they are.
  Counter(int listening, const TurnLimits& limits, Serve serve, std::function<void()> reload)
      : listening_(listening), turns_(limits), serve_(std::move(serve)), reload_(std::move(reload)) {}
  // Until SIGTERM; whoever has asked by then is served first.
  int run();

 private:
  struct Client {
    Fd connection;
    uid_t uid;
    int64_t since;
    bool asked = false;
  };

  bool wait_on(std::vector<pollfd>& polled, const sigset_t& mask) const;
  void wait_for_something(const sigset_t& mask);
  void accept_clients();
  void pause(const char* doing, const Failure& failure);
  void turn_away(int connection);
  void look_at(Client& client);
  void close_idle();
  void serve_next();
  [[noreturn]] void serve_in_child(const Fd& connection, uid_t uid);
  void reap();
  [[nodiscard]] int64_t next_wait() const;

  int listening_;
  Turns turns_;
  Serve serve_;
  std::function<void()> reload_;
  std::map<int, Client> clients_;
  std::map<pid_t, uid_t> children_;
  int64_t pause_until_ = 0;  // neither accept nor fork before
};

}  // namespace postern::inject
