#include "queue/pass.h"

#include <doctest/doctest.h>

#include <string>

#include "queue/carry_out.h"
#include "scratch.h"

using namespace postern;

namespace {

constexpr uint64_t kBorn = 1000000;  // seconds

// A message whose recipients are never reached, and its passes by a clock of its own.
class Tried {
 public:
  Tried(std::string_view profiles, std::string_view destinations,
        const std::vector<std::string>& recipients) {
    Result<BounceProfiles> parsed = BounceProfiles::parse(profiles, "p");
    Result<Destinations> table = Destinations::parse(destinations, "d");
    REQUIRE(parsed.ok());
    REQUIRE(table.ok());
    choice_ = {.profiles = std::move(*parsed), .destinations = std::move(*table)};
    for (const std::string& recipient : recipients) {
      delivery_.queued.envelope.recipients.push_back({recipient, "", ""});
      delivery_.queued.states.push_back(RecipientState::pending);
    }
    delivery_.queued.born = kBorn * 1000000;
    delivery_.attempts_path = scratch_.path("17");
  }

  // Passes until `until` seconds, each as soon as it is due: "TIME:RID…" for each that tried somebody, and
  // "TIME!RID…" for those that failed.
  std::string passes(uint64_t until) {
    std::string said;
    while (next_ <= until && next_ > 0) {
      const uint64_t now = kBorn + at_;
      delivery_.attempts = read_attempts(delivery_.attempts_path);
      delivery_.deferred.clear();
      decide_pass(delivery_, false, choice_, now);
      REQUIRE((delivery_.tried || !delivery_.failed.empty()));
      said += note(now);
      fail_spent(delivery_, choice_, now);
      said += fail();
      if (!delivery_.waits()) break;
      next_ = put_off(delivery_, {}, choice_, now) - kBorn;
      REQUIRE(next_ > at_);
      at_ = next_;
    }
    return said;
  }
  void wait(uint64_t seconds) {
    at_ += seconds;
    next_ = at_;
  }
  [[nodiscard]] std::string log() const { return scratch_.read("17"); }

 private:
  std::string note(uint64_t) {
    std::string rids;
    for (size_t rid = 0; rid < delivery_.queued.states.size(); ++rid) {
      if (!delivery_.tried || delivery_.queued.states[rid] != RecipientState::pending ||
          delivery_.not_due.contains(rid) || delivery_.failed.contains(rid)) {
        continue;
      }
      delivery_.deferred[rid] = "4.7.1 later";
      rids += std::to_string(rid);
    }
    return rids.empty() ? "" : (" " + std::to_string(at_) + ":").append(rids);
  }
  std::string fail() {
    std::string rids;
    for (const auto& [rid, why] : delivery_.failed) {
      delivery_.queued.states[rid] = RecipientState::failed;
      rids += std::to_string(rid);
    }
    delivery_.failed.clear();
    return rids.empty() ? "" : (" " + std::to_string(at_) + "!").append(rids);
  }
  Scratch scratch_;
  BounceChoice choice_;
  Delivery delivery_;
  uint64_t at_ = 1;  // seconds since receipt
  uint64_t next_ = 1;
};

}  // namespace

TEST_CASE("two retries after a minute: three tries, then it has failed") {
  Tried tried("DEFAULT max_retries=2 initial_retry=60", "", {"a@far.example"});
  CHECK(tried.passes(100000) == " 1:0 61:0 121:0 121!0");
  CHECK(tried.log().find("a 0") == std::string::npos);
}

TEST_CASE("a lifetime that ends between two tries ends there, without another") {
  Tried tried("DEFAULT max_queue_lifetime=100 initial_retry=60", "", {"a@far.example"});
  CHECK(tried.passes(100000) == " 1:0 61:0 100!0");
}

TEST_CASE("who was not tried when it was due is tried once more, however old it is") {
  Tried tried("DEFAULT max_queue_lifetime=100 initial_retry=60", "", {"a@far.example"});
  CHECK(tried.passes(70) == " 1:0 61:0");
  tried.wait(1000000);
  CHECK(tried.passes(10000000) == " 1000100:0 1000100!0");
}

TEST_CASE("the longest wait bounds the doubling") {
  Tried tried("DEFAULT max_retries=6 initial_retry=10 max_retry_timeout=30", "", {"a@far.example"});
  CHECK(tried.passes(100000) == " 1:0 11:0 21:0 41:0 71:0 101:0 131:0 131!0");
}

TEST_CASE("recipients with two profiles have two schedules, and only those that are due are tried") {
  const char* const kProfiles = "fast max_retries=2 initial_retry=10\nslow max_retries=1 initial_retry=25\n";
  const char* const kDestinations = "a.example bounce_profile=fast\nb.example bounce_profile=slow\n";
  Tried tried(kProfiles, kDestinations, {"x@a.example", "x@b.example", "y@a.example", "y@b.example"});
  CHECK(tried.passes(11) == " 1:0123 11:02");
  CHECK(parse_attempts(tried.log()).turn_of(1) == Turn{1, kBorn + 26});
  CHECK(parse_attempts(tried.log()).turn_of(0) == Turn{2, kBorn + 21});
  CHECK(tried.passes(100000) == " 21:02 21!02 26:13 26!13");
}

TEST_CASE("of two that fail at different times each has its own last try") {
  Tried tried("a max_queue_lifetime=30 initial_retry=20\nb max_queue_lifetime=50 initial_retry=20\n",
              "a.example bounce_profile=a\nb.example bounce_profile=b\n", {"x@a.example", "x@b.example"});
  CHECK(tried.passes(100000) == " 1:01 21:01 30!0 41:1 50!1");
}

TEST_CASE("what a clock wrote that was wrong is due") {
  CHECK(is_due(100, 160, 3600, 160));
  CHECK_FALSE(is_due(100, 160, 3600, 159));
  CHECK(is_due(200, 260, 3600, 100));
  CHECK(is_due(100, 99999, 3600, 150));
}
