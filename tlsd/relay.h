// One connection: smtpd's question, the handshake, and then the bytes of both ends until they are done.
//
// Nothing is read from one end while the other has not taken what was read before, so a connection holds at
// most kRelayBytes in each direction, and nothing while it is idle.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>

#include "lib/fd.h"
#include "lib/request.h"
#include "tlsd/certificates.h"

struct ssl_st;

namespace postern::tlsd {

constexpr size_t kRelayBytes = 16384;  // a TLS record's
constexpr int64_t kRequestMilliseconds = 30000;
// Nothing goes either way: smtpd's own limit on a silent client, which it tells, and the time for which it
// may be silent itself (a message in the queue program, 240 s, and what a tarpit and the questions may add).
constexpr uint64_t kClientIdleSeconds = 300;  // where it does not tell
constexpr uint64_t kLongestIdleSeconds = 86400;
constexpr uint64_t kIdleMarginSeconds = 900;
// When smtpd has said its last word: for the client to take it, and to say that it has.
constexpr int64_t kEndingMilliseconds = 5000;
// When smtpd has gone: for all that is left to say. Whatever the client does, it holds no longer to its place
// than that.
constexpr int64_t kLeftMilliseconds = 60000;

class Relay {
 public:
  enum class Side : uint8_t { control, client, plain };

  // `control`: smtpd's connection, which will bring the request. Events of all three descriptors are asked of
  // `poller` with `id` × 4 + side as data. `certificates` must outlive it.
  Relay(Fd control, int poller, uint64_t id, const Certificates& certificates,
        int64_t handshake_milliseconds);
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  // `events` as epoll has them.
  void on_event(Side side, uint32_t events);
  // Goes on where it stopped to let others have their turn.
  void go_on();
  void time_out();

  [[nodiscard]] bool over() const { return state_ == State::over; }
  [[nodiscard]] bool wants_turn() const { return wants_turn_; }
  [[nodiscard]] int64_t deadline() const {
    return std::min(deadline_, ending_at_);  // now_milliseconds()
  }

 private:
  enum class State : uint8_t { asked, shaking, relaying, over };

  void receive();
  Result<void> take_over(ReceivedRequest& request);
  void shake();
  void answer();
  void refuse(const std::string& why);
  void end() { state_ = State::over; }
  bool watch(int fd, Side side, uint32_t events);

  void pump();
  bool pump_in();   // client to smtpd; true: it may go on
  bool pump_out();  // smtpd to client
  bool write_plain();
  bool write_client();
  void client_is_gone();
  void smtpd_has_left();
  void settle_ends();

  int poller_;
  uint64_t id_;
  const Certificates& certificates_;
  int64_t handshake_milliseconds_;
  int64_t idle_milliseconds_ = 0;
  int64_t deadline_;
  int64_t ending_at_ = std::numeric_limits<int64_t>::max();  // set once; nothing extends it
  State state_ = State::asked;
  Fd control_;
  Fd client_;
  Fd plain_;
  ssl_st* ssl_ = nullptr;
  std::string to_plain_;
  std::string to_client_;
  bool wants_turn_ = false;
  bool client_readable_ = false;
  bool plain_readable_ = false;
  bool plain_watched_for_room_ = false;
  bool client_ended_ = false;  // it has said all
  bool plain_ended_ = false;   // smtpd has
  bool client_gone_ = false;   // nothing can be said to it any more
  bool plain_gone_ = false;    // nor to smtpd
  bool told_plain_ = false;    // that the client has said all
  bool told_client_ = false;
};

}  // namespace postern::tlsd
