#include "tlsd/relay.h"

#include <doctest/doctest.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>

#include "lib/child.h"
#include "scratch.h"

using namespace postern;
using namespace postern::tlsd;

namespace {

struct Pair {
  Pair() {
    std::array<int, 2> ends{-1, -1};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends.data()) == 0);
    ours.reset(ends[0]);
    theirs.reset(ends[1]);
  }
  Fd ours, theirs;
};

std::unique_ptr<Certificates> a_certificate(const Scratch& scratch) {
  const std::string path = scratch.path("x.example.pem");
  const std::string command =
      "umask 077 && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3 -subj /CN=x "
      "-keyout '" +
      path + "' -out '" + path + "' 2>/dev/null";
  REQUIRE(std::system(command.c_str()) == 0);
  const TlsdSettings settings{.directory = scratch.path(),
                              .default_name = "x.example",
                              .least_version = TLS1_2_VERSION,
                              .handshake_seconds = 60,
                              .ticket_seconds = 0,
                              .workers = 1,
                              .client_authorities_path = ""};
  std::vector<std::string> problems;
  auto read = Certificates::read(settings, *TicketKeys::make(), problems);
  REQUIRE(read.ok());
  return std::move(*read);
}

// A relay whose three ends are ours, and one thread that plays all.
struct Relayed {
  explicit Relayed(std::vector<std::string> words) {
    std::array<int, 2> ends{-1, -1};
    REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) == 0);
    control.reset(ends[0]);
    relay = std::make_unique<Relay>(Fd(ends[1]), poller.get(), 1, *certificates, 60000);
    const Request request{.arguments = std::move(words),
                          .environment = {},
                          .fds = {{client.theirs.get(), 0}, {plain.theirs.get(), 1}}};
    REQUIRE(send_request(control.get(), request).ok());
    client.theirs.reset();
    plain.theirs.reset();
    context.reset(::SSL_CTX_new(::TLS_client_method()));
    ssl = ::SSL_new(context.get());
    REQUIRE(::SSL_set_fd(ssl, client.ours.get()) == 1);
    ::SSL_set_connect_state(ssl);
    for (int i = 0; i < 20 && ::SSL_do_handshake(ssl) != 1; ++i) turn();
    turn();
    REQUIRE(::SSL_is_init_finished(ssl) == 1);
  }
  ~Relayed() { ::SSL_free(ssl); }
  Relayed(const Relayed&) = delete;
  Relayed& operator=(const Relayed&) = delete;

  void turn() {
    std::array<epoll_event, 8> events{};
    for (int round = 0; round < 100; ++round) {
      const int count = ::epoll_wait(poller.get(), events.data(), events.size(), 0);
      for (int i = 0; i < count; ++i) {
        const epoll_event& event = events.at(static_cast<size_t>(i));
        relay->on_event(static_cast<Relay::Side>(event.data.u64 % 4), event.events);
      }
      const bool again = relay->wants_turn();
      if (again) relay->go_on();
      if (count <= 0 && !again) return;
    }
  }
  void client_says(const std::string& bytes) {
    CHECK(::SSL_write(ssl, bytes.data(), static_cast<int>(bytes.size())) == static_cast<int>(bytes.size()));
    turn();
  }

  Scratch scratch;
  std::unique_ptr<Certificates> certificates = a_certificate(scratch);
  Fd poller{::epoll_create1(EPOLL_CLOEXEC)};
  Fd control;
  Pair client, plain;
  Context context;
  SSL* ssl = nullptr;
  std::unique_ptr<Relay> relay;
};

}  // namespace

TEST_CASE("smtpd says how long a client may be silent, and the relay waits longer") {
  const auto is_near = [](const Relayed& relayed, uint64_t seconds) {
    const int64_t left = relayed.relay->deadline() - now_milliseconds();
    return left <= static_cast<int64_t>(seconds) * 1000 && left > static_cast<int64_t>(seconds - 60) * 1000;
  };
  CHECK(is_near(Relayed({"serve"}), kClientIdleSeconds + kIdleMarginSeconds));
  CHECK(is_near(Relayed({"serve", "7200"}), 7200 + kIdleMarginSeconds));
  CHECK(is_near(Relayed({"serve", "99999999999999"}), kLongestIdleSeconds + kIdleMarginSeconds));
}

TEST_CASE("a client that reads nothing keeps its relay for a bounded time once smtpd has gone") {
  Relayed relayed({"serve"});
  const std::string replies(65536, 'r');
  while (::send(relayed.plain.ours.get(), replies.data(), replies.size(), MSG_NOSIGNAL) > 0) relayed.turn();
  CHECK(relayed.relay->deadline() > now_milliseconds() + kLeftMilliseconds);
  relayed.plain.ours.reset();
  relayed.turn();
  REQUIRE(!relayed.relay->over());
  const int64_t deadline = relayed.relay->deadline();
  CHECK(deadline <= now_milliseconds() + kLeftMilliseconds);
  for (int i = 0; i < 5; ++i) {
    relayed.client_says("NOOP\r\n");
    const int64_t now = now_milliseconds();
    while (now_milliseconds() < now + 2) {
    }
    CHECK(relayed.relay->deadline() == deadline);
  }
  relayed.relay->time_out();
  CHECK(relayed.relay->over());
}
