#include "lib/taken_before.h"

#include <doctest/doctest.h>

#include <string>

#include "scratch.h"

using namespace postern;

namespace {

Environment request(const char* icid, bool deferred) {
  Environment environment;
  if (icid != nullptr) environment.set("POSTERN_ICID", icid);
  if (deferred) environment.set("POSTERN_DEFERRED", "1");
  return environment;
}

Envelope envelope_of(const std::vector<std::string>& recipients) {
  Envelope envelope;
  for (const std::string& address : recipients) envelope.recipients.push_back({address, "", ""});
  return envelope;
}

void put(const Spool& spool, uint64_t mid, const char* icid) {
  const Fd message = memory_with("x: y\n\nz\n");
  Envelope envelope;
  envelope.recipients = {{"b@example.net", "", ""}};
  const Environment kept = request(icid, false);
  Result<StagedMessage> staged = spool.stage(
      {.message = message.get(), .limit_bytes = 100, .first_header = "", .envelope = envelope, .kept = kept},
      mid);
  REQUIRE(staged.ok());
  REQUIRE(spool.commit(std::move(*staged)).ok());
}

}  // namespace

TEST_CASE("a message was taken before when mid and ICID are there, and the work queue asks") {
  const Scratch scratch;
  const Spool spool(scratch.path("queue"));
  REQUIRE(spool.make_directories().ok());
  put(spool, 5, "77");
  put(spool, 6, nullptr);
  put(spool, 7, "77");
  REQUIRE(spool.take(7).ok());
  struct Row {
    uint64_t mid;
    const char* icid;
    bool deferred;
    bool expected;
  };
  for (const Row& row : {Row{5, "77", true, true},
                         {7, "77", true, true},
                         {5, "77", false, false},
                         {5, "78", true, false},
                         {5, nullptr, true, false},
                         {6, "77", true, false},
                         {6, nullptr, true, false},
                         {8, "77", true, false},
                         {0, "77", true, false}}) {
    CAPTURE(row.mid);
    CAPTURE(row.deferred);
    Result<bool> taken =
        taken_before(spool, row.mid, request(row.icid, row.deferred), envelope_of({"b@example.net"}));
    REQUIRE(taken.ok());
    CHECK(*taken == row.expected);
  }
}

TEST_CASE("what both were made of says the same as the ICID") {
  const Scratch scratch;
  const Spool spool(scratch.path("queue"));
  REQUIRE(spool.make_directories().ok());
  const Fd message = memory_with("x: y\n\nz\n");
  const Envelope envelope = envelope_of({"b@example.net"});
  Environment kept;
  kept.set("POSTERN_WORK", "sets/9");
  Result<StagedMessage> staged = spool.stage(
      {.message = message.get(), .limit_bytes = 100, .first_header = "", .envelope = envelope, .kept = kept},
      5);
  REQUIRE(staged.ok());
  REQUIRE(spool.commit(std::move(*staged)).ok());
  Environment asks = request(nullptr, true);
  CHECK_FALSE(*taken_before(spool, 5, asks, envelope));
  asks.set("POSTERN_WORK", "sets/8");
  CHECK_FALSE(*taken_before(spool, 5, asks, envelope));
  asks.set("POSTERN_WORK", "sets/9");
  CHECK(*taken_before(spool, 5, asks, envelope));
  asks.unset("POSTERN_DEFERRED");
  CHECK_FALSE(*taken_before(spool, 5, asks, envelope));
}

TEST_CASE("a message for other recipients or from another sender was not taken before") {
  const Scratch scratch;
  const Spool spool(scratch.path("queue"));
  REQUIRE(spool.make_directories().ok());
  put(spool, 5, "77");
  const auto taken = [&](const Envelope& envelope) {
    Result<bool> answer = taken_before(spool, 5, request("77", true), envelope);
    REQUIRE(answer.ok());
    return *answer;
  };
  CHECK(taken(envelope_of({"b@example.net"})));
  CHECK_FALSE(taken(envelope_of({"b@example.net", "c@example.net"})));
  CHECK_FALSE(taken(envelope_of({"c@example.net"})));
  Envelope other = envelope_of({"b@example.net"});
  other.sender = "a@example.org";
  CHECK_FALSE(taken(other));
}

TEST_CASE("a file that cannot be read leaves open whether the message was taken before") {
  const Scratch scratch;
  const Spool spool(scratch.path("queue"));
  REQUIRE(spool.make_directories().ok());
  scratch.write("queue/new/5/5", "not a queue file");
  Result<bool> taken = taken_before(spool, 5, request("77", true), envelope_of({}));
  REQUIRE_FALSE(taken.ok());
  CHECK_FALSE(taken.failure().permanent());
}
