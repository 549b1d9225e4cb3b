#include "receipt/rated_service.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cstring>

#include "lib/call.h"
#include "lib/child.h"
#include "receipt/counter_file.h"
#include "receipt/rated_line.h"
#include "receipt/rates.h"
#include "tests/unit/scratch.h"

using namespace postern;
using What = RateCheck::What;

namespace {

// A real one in a process of its own, on run/rated of the home.
class Rated {
 public:
  explicit Rated(const ScratchHome& home) : home_(home) { start(); }
  ~Rated() { end(SIGTERM); }
  Rated(const Rated&) = delete;
  Rated& operator=(const Rated&) = delete;

  void start() {
    const std::string path = home_.path("run/rated");
    ::unlink(path.c_str());
    const Fd listening{::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)};
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    REQUIRE(::bind(listening.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(::listen(listening.get(), 128) == 0);
    pid_ = ::fork();
    REQUIRE(pid_ >= 0);
    if (pid_ > 0) return;
    const std::string file = home_.path("counters");
    MemoryCounters counters(10000, 1);
    ServeOptions options;
    options.clients = {::getuid()};
    if (!load_counters(counters, file)) ::_exit(1);
    ::_exit(serve_rates(listening.get(), options,
                        {.state_file = file,
                         .alert =
                             [this](const RateCheck& check) {
                               const Fd told{::open(home_.path("told").c_str(),
                                                    O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)};
                               (void)write_all(told.get(), check.key + "\n", "tell");
                             }},
                        counters));
  }
  int end(int number) {
    if (pid_ == 0) return 0;
    ::kill(pid_, number);
    int status = 0;
    ::waitpid(std::exchange(pid_, 0), &status, 0);
    return status;
  }
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  const ScratchHome& home_;
  pid_t pid_ = 0;
};

RateCheck slot(std::string key, uint32_t limit) {
  return {.what = What::slot, .name = "connections", .key = std::move(key), .seconds = 0, .limit = limit};
}
RateCheck take(std::string key, uint32_t limit, uint32_t seconds = 3600) {
  return {
      .what = What::take, .name = "recipients", .key = std::move(key), .seconds = seconds, .limit = limit};
}
bool allows(RatedLine& line, const RateCheck& check) {
  const std::optional<RateAnswer> answer = line.ask({&check, 1});
  REQUIRE(answer.has_value());
  return !answer->over;
}
// The end of a connection is noticed soon, not at once.
bool allows_soon(const RateCheck& check) {
  for (const int64_t end = now_milliseconds() + 20000; now_milliseconds() < end;) {
    RatedLine line;
    if (allows(line, check)) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("a place is held for the life of a connection, and free when its holder is killed") {
  const ScratchHome home;
  Rated rated(home);
  const pid_t holder = ::fork();
  if (holder == 0) {
    RatedLine line;
    const RateCheck check = slot("192.0.2.1/32", 1);
    const std::optional<RateAnswer> answer = line.ask({&check, 1});
    const Fd done{::open(home.path("held").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)};
    if (answer && !answer->over) ::pause();
    ::_exit(1);
  }
  while (::access(home.path("held").c_str(), F_OK) < 0) ::usleep(1000);
  {
    RatedLine line;
    CHECK(!allows(line, slot("192.0.2.1/32", 1)));
    CHECK(!allows(line, slot("192.0.2.1/32", 1)));
    CHECK(allows(line, slot("192.0.2.2/32", 1)));
    CHECK(allows(line, slot("192.0.2.1/32", 2)));
  }
  ::kill(holder, SIGKILL);
  ::waitpid(holder, nullptr, 0);
  CHECK(allows_soon(slot("192.0.2.1/32", 1)));
}

TEST_CASE("a refused question holds no place and counts nothing") {
  const ScratchHome home;
  Rated rated(home);
  RatedLine line;
  CHECK(allows(line, take("a", 1)));
  const RateCheck both[] = {slot("b", 1), take("a", 1)};
  std::optional<RateAnswer> answer = line.ask(both);
  REQUIRE(answer.has_value());
  CHECK(answer->over);
  CHECK(answer->check == 1);
  RatedLine other;
  CHECK(allows(other, slot("b", 1)));
  const RateCheck reverse[] = {take("c", 1), slot("b", 1)};
  answer = line.ask(reverse);
  REQUIRE(answer.has_value());
  CHECK(answer->over);
  CHECK(answer->check == 1);
  CHECK(allows(line, take("c", 1)));
}

TEST_CASE("a session registers anew what it holds when rated has been started anew; counters are kept") {
  const ScratchHome home;
  Rated rated(home);
  RatedLine line;
  CHECK(allows(line, slot("k", 2)));
  CHECK(allows(line, take("k", 3)));
  CHECK(allows(line, take("k", 3)));
  CHECK(rated.end(SIGTERM) == 0);
  const RateCheck check = take("k", 3);
  CHECK(!line.ask({&check, 1}).has_value());  // away: no answer, and no waiting
  rated.start();
  CHECK(allows(line, check));
  CHECK(!allows(line, check));
  RatedLine other;
  CHECK(!allows(other, slot("k", 1)));
  CHECK(allows(other, slot("k", 2)));
}

TEST_CASE("a rated that hangs is waited for once") {
  const ScratchHome home;
  Rated rated(home);
  RatedLine line;
  CHECK(allows(line, take("k", 100)));
  ::kill(rated.pid(), SIGSTOP);
  const RateCheck check = take("k", 100);
  CHECK(!line.ask({&check, 1}).has_value());
  const int64_t begin = now_milliseconds();
  for (int i = 0; i < 50; ++i) CHECK(!line.ask({&check, 1}).has_value());
  CHECK(now_milliseconds() - begin < 10000);  // 50 times 2 s without the silence
  ::kill(rated.pid(), SIGCONT);
}

TEST_CASE("what is no question is refused, and the next one is answered") {
  const ScratchHome home;
  Rated rated(home);
  Result<Fd> socket = connect_service("rated", now_milliseconds() + 5000);
  REQUIRE(socket.ok());
  for (const std::string& packet :
       {std::string("x"), std::string(1, '\0'), std::string(60000, 'x'), std::string("\1\5\0a\0", 5)}) {
    REQUIRE(::send(socket->get(), packet.data(), packet.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(packet.size()));
    Result<Reply> reply = await_reply(socket->get(), now_milliseconds() + 20000);
    REQUIRE(reply.ok());
    CHECK(reply->exit_code == 100);
  }
  Request request;
  request.arguments = {"status"};
  REQUIRE(send_request(socket->get(), request).ok());
  Result<Reply> reply = await_reply(socket->get(), now_milliseconds() + 20000);
  REQUIRE(reply.ok());
  CHECK(reply->output == "keys 0\nconnections 1\nslots 0\n");
}

TEST_CASE("the limit of a day is told of once, also over a restart") {
  const ScratchHome home;
  Rated rated(home);
  RatedLine line;
  const RateCheck check = take("alice", 2, kRateDay);
  CHECK(allows(line, check));
  CHECK(allows(line, check));
  RateCheck look = check;
  look.what = What::look;
  CHECK(!allows(line, look));  // who looks uses nothing up
  CHECK(::access(home.path("told").c_str(), F_OK) < 0);
  for (int i = 0; i < 3; ++i) (void)allows(line, check);
  CHECK(home.read("told") == "alice\n");
  rated.end(SIGTERM);
  rated.start();
  CHECK(!allows(line, check));
  CHECK(home.read("told") == "alice\n");
}

TEST_CASE("the session asks rated: connections, recipients, harvesting") {
  const ScratchHome home;
  Rated rated(home);
  MailFlowPolicy policy;
  policy.name = "THROTTLED";
  policy.max_connections = 1;
  policy.max_recipients_per_hour = 20;
  policy.max_invalid_recipients = 2;
  Rates first(policy, "192.0.2.1");
  CHECK(first.connection().passes());
  Rates second(policy, "192.0.2.1");
  const Decision decision = second.connection();
  CHECK(decision.kind == Decision::Kind::close);
  CHECK(decision.reply.line() == "421 4.7.0 too many connections from your address");
  CHECK(decision.why == "policy THROTTLED: max_connections 1 of 192.0.2.1/32, which has 1");
  int accepted = 0;
  for (int i = 0; i < 30; ++i) accepted += first.recipient("s@example.org").passes() ? 1 : 0;
  CHECK(accepted == 20);
  Rates elsewhere(policy, "192.0.2.2");
  CHECK(elsewhere.connection().passes());
  CHECK(elsewhere.recipient("s@example.org").passes());
  CHECK(elsewhere.invalid_recipient().passes());
  CHECK(elsewhere.invalid_recipient().passes());
  CHECK(elsewhere.invalid_recipient().kind == Decision::Kind::close);
}
