// Who is served next, so that no user of this host can keep the others from handing mail in: each may hold
// only a part of what can be served at once and of what may wait, and the user with the least in service has
// the next turn.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace postern::inject {

struct TurnLimits {
  size_t serving = 10;         // requests at once
  size_t serving_of_user = 5;  // of one user
  size_t waiting = 500;        // connections that are not served yet
  size_t waiting_of_user = 100;
};

class Turns {
 public:
  explicit Turns(const TurnLimits& limits) : limits_(limits) {}

  // A connection has come. Returns the one to be turned away: this one when its user has too many, or when
  // the house is full and no other user has more; nothing when there is room.
  std::optional<int> arrive(int connection, uid_t uid);
  // It has asked for something.
  void ask(int connection);
  // It is gone, or is turned away.
  void leave(int connection);
  // The next one to be served, if one has asked and may be; it does not wait any more and counts as served.
  std::optional<int> next();
  // A request of that user is over.
  void done(uid_t uid);

 private:
  struct Waiting {
    int connection;
    uid_t uid;
    bool asked = false;
  };
  void forget_if_gone(uid_t uid);
  [[nodiscard]] size_t waiting_of(uid_t uid) const;
  [[nodiscard]] size_t serving_of(uid_t uid) const;

  TurnLimits limits_;
  std::vector<Waiting> waiting_;         // in the order of their coming
  std::map<uid_t, size_t> serving_;      // never 0
  std::map<uid_t, uint64_t> last_turn_;  // of users that wait or are served
  size_t all_serving_ = 0;
  uint64_t turns_ = 0;
};

}  // namespace postern::inject
