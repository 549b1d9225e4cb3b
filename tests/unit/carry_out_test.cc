#include "queue/carry_out.h"

#include <doctest/doctest.h>

#include <string>

#include "scratch.h"

using namespace postern;

namespace {

// A message of that many recipients, open, with this log beside it.
struct Opened {
  explicit Opened(size_t recipients, const std::string& log) {
    REQUIRE(spool.make_directories().ok());
    Result<Fd> message = memory_file_with("message", "Subject: x\n\n");
    REQUIRE(message.ok());
    Envelope envelope;
    envelope.sender = "a@x.example";
    for (size_t i = 0; i < recipients; ++i)
      envelope.recipients.push_back({std::to_string(i) + "@far.example", "", ""});
    Result<StagedMessage> staged = spool.stage(
        {.message = message->get(), .limit_bytes = 100, .first_header = {}, .envelope = envelope, .kept = {}},
        7);
    REQUIRE(staged.ok());
    REQUIRE(spool.commit(std::move(*staged)).ok());
    REQUIRE(spool.take(7).ok());
    if (!log.empty()) scratch.write("queue/defer/7/7", log);
    Result<Delivery> result = open_delivery(spool, 7);
    REQUIRE(result.ok());
    delivery = std::move(*result);
  }
  // The state letters in memory; they must be those on the disk.
  std::string states() {
    std::string letters;
    for (const RecipientState state : delivery.queued.states) letters += static_cast<char>(state);
    Result<QueuedMessage> stored = read_queue_file(delivery.file.get());
    REQUIRE(stored.ok());
    CHECK(stored->states == delivery.queued.states);
    return letters;
  }
  Scratch scratch;
  Spool spool{scratch.path("queue")};
  Delivery delivery;
};

BounceChoice patient() {
  Result<BounceProfiles> profiles = BounceProfiles::parse("DEFAULT max_retry_timeout=10000", "");
  REQUIRE(profiles.ok());
  return {.profiles = std::move(*profiles), .destinations = {}};
}

}  // namespace

TEST_CASE("orders are carried out when a message is opened, and again without effect") {
  Opened opened(
      5, "o hold 1 root 0 .\no remove 1 root 1 .\no bounce 1 root 2 .\no reroute 1 root 3 relay.example .\n");
  for (int times = 0; times < 2; ++times) {
    carry_out(opened.delivery);
    CHECK(opened.states() == "HRPPP");
    REQUIRE(opened.delivery.failed.size() == 1);
    CHECK(opened.delivery.failed.at(2) == "5.0.0 bounced by the operator");
  }
  CHECK(opened.delivery.waits());
  decide_pass(opened.delivery, false, patient(), 1000);
  CHECK(opened.delivery.tried);
  CHECK(opened.delivery.pending());
}

TEST_CASE("at the end of a pass orders meet what came back, and what was delivered stays") {
  Opened opened(6, "");
  Delivery& delivery = opened.delivery;
  set_states(delivery, {{0, ""}}, RecipientState::done);
  delivery.deferred = {{1, "later"}, {2, "later"}, {3, "later"}};
  delivery.failed = {{4, "550 no"}, {5, "550 no"}};
  opened.scratch.write("queue/defer/7/7",
                       "o remove 1 root 0-1,4 .\no bounce 1 root 2,5 .\no hold 1 root 3 .\n");
  for (const bool changed : {true, false}) {
    const Result<bool> reread = reread_orders(delivery);
    REQUIRE(reread.ok());
    CHECK(*reread == changed);
  }
  carry_out(delivery);
  CHECK(opened.states() == "DRPHRP");
  CHECK(delivery.deferred.empty());
  REQUIRE(delivery.failed.size() == 2);
  CHECK(delivery.failed.at(2) == "5.0.0 bounced by the operator");
  CHECK(delivery.failed.at(5) == "550 no");
}

TEST_CASE("a hold does not undo a failure that is about to be told") {
  Opened opened(1, "");
  opened.delivery.failed = {{0, "550 no"}};
  opened.scratch.write("queue/defer/7/7", "o hold 1 root 0 .\n");
  CHECK(reread_orders(opened.delivery));
  carry_out(opened.delivery);
  CHECK(opened.states() == "P");
  CHECK(opened.delivery.failed.size() == 1);
}

TEST_CASE("a flush makes a message due until a pass has met it") {
  Opened due(1, "t 1 100 5000\no flush 1 root 0 .\n");
  decide_pass(due.delivery, false, patient(), 1000);
  CHECK(due.delivery.tried);
  Opened met(1, "o flush 1 root 0 .\nt 1 100 5000 1\n");
  decide_pass(met.delivery, false, patient(), 1000);
  CHECK_FALSE(met.delivery.tried);
  CHECK(next_time(met.delivery, met.delivery.attempts.next, 1000) == 5000);
  // Ordered while the pass was under way: the pass had met none.
  Opened meanwhile(1, "o flush 1 root 0 .\nt 1 100 5000\n");
  decide_pass(meanwhile.delivery, false, patient(), 1000);
  CHECK(meanwhile.delivery.tried);
  Opened held(1, "o hold 1 root 0 .\no flush 1 root 0 .\n");
  carry_out(held.delivery);
  decide_pass(held.delivery, true, patient(), 1000);
  CHECK_FALSE(held.delivery.tried);
  CHECK(next_time(held.delivery, 0, 1000) == 1000 + 86400);
  held.delivery.orders_came = true;
  CHECK(next_time(held.delivery, 0, 1000) == 0);
}

TEST_CASE("times that a wrong clock has noted keep no message back") {
  const auto tried = [](std::string_view log, uint64_t now) {
    Opened opened(1, std::string(log));
    decide_pass(opened.delivery, false, {}, now);
    return opened.delivery.tried;
  };
  CHECK_FALSE(tried("t 1 1000 4600\n", 1000));
  CHECK(tried("t 1 1000 4600\n", 999));   // tried in the future
  CHECK(tried("t 1 1000 4601\n", 1000));  // further away than any wait
  CHECK(tried("t 1 1000 4600\n", 4600));
}

TEST_CASE("a route makes a remote job of its own, of a local recipient too") {
  Opened opened(3, "o reroute 1 root 1-2 relay.example:26 .\n");
  const Jobs jobs = make_jobs(opened.delivery, *Rewriting::make("me.example", {"far.example"}, {}));
  REQUIRE(jobs.local.size() == 1);
  REQUIRE(jobs.remote.size() == 1);
  CHECK(jobs.remote[0].route == "relay.example:26");
  CHECK(jobs.remote[0].site == "relay.example:26");
  CHECK(jobs.remote[0].rids == std::vector<size_t>{1, 2});
  CHECK(jobs.remote[0].arguments ==
        std::vector<std::string>{"far.example", "a@x.example", "1@far.example", "2@far.example"});
}

TEST_CASE("orders that cannot be read keep the message from being opened") {
  Opened opened(1, "");
  REQUIRE(::mkdir(opened.scratch.path("queue/defer/7/7").c_str(), 0700) == 0);
  const Result<Delivery> again = open_delivery(opened.spool, 7);
  REQUIRE_FALSE(again.ok());
  CHECK_FALSE(again.failure().permanent());
}
