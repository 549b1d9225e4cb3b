#include "queue/notices.h"

#include <doctest/doctest.h>

#include <string>

#include "scratch.h"

using namespace postern;

namespace {

constexpr uint64_t kBorn = 1000000;  // seconds

Delivery delivery_of(const std::vector<std::string>& notify, std::string_view sender = "a@x.example") {
  Delivery delivery;
  delivery.mid = 17;
  delivery.queued.born = kBorn * 1000000;
  delivery.queued.envelope.sender = sender;
  for (const std::string& value : notify) {
    delivery.queued.envelope.recipients.push_back({"r@y.example", value, ""});
    delivery.queued.states.push_back(RecipientState::pending);
    delivery.queued.state_offsets.push_back(0);
  }
  delivery.file = Fd(::open("/dev/null", O_RDWR | O_CLOEXEC));
  return delivery;
}

// Without warnings where delay_warning is 0.
SendSettings settings_with(uint64_t delay_warning = 100) {
  SendSettings settings;
  settings.double_bounce_to = "postmaster@me";
  const BounceProfile otherwise{.max_queue_lifetime = 1000,
                                .send_delay_warnings = delay_warning != 0,
                                .delay_warning_interval = delay_warning};
  Result<BounceProfiles> profiles = BounceProfiles::parse("", "", otherwise);
  REQUIRE(profiles.ok());
  settings.bounces.profiles = std::move(*profiles);
  return settings;
}

// The rids and first letters of what is told: "0f 2d".
std::string telling(const Delivery& delivery) {
  std::string text;
  for (const auto& [rid, action] : delivery.telling) {
    text += (text.empty() ? "" : " ") + std::to_string(rid) +
            std::string(1, "fdsre"[static_cast<size_t>(action)]);
  }
  return text;
}

}  // namespace

TEST_CASE("NOTIFY asks for failures and delays where it is not given") {
  struct Row {
    std::string notify;
    bool success, failure, delay;
  };
  const Row rows[] = {
      {"", false, true, true},
      {"NEVER", false, false, false},
      {"SUCCESS", true, false, false},
      {"FAILURE", false, true, false},
      {"DELAY", false, false, true},
      {"success,Delay", true, false, true},
      {"nonsense", false, true, true},
      {"SUCCESS,FAILURE,DELAY", true, true, true},
      {"never,FAILURE", false, true, false},
      {",", false, true, true},
      {"SUCCESSFUL", false, true, true},
  };
  for (const Row& row : rows) {
    CAPTURE(row.notify);
    CHECK(asks_for(row.notify, "SUCCESS") == row.success);
    CHECK(asks_for(row.notify, "FAILURE") == row.failure);
    CHECK(asks_for(row.notify, "DELAY") == row.delay);
  }
}

TEST_CASE("failures are told to those who want to hear of them, and all have failed") {
  Delivery delivery = delivery_of({"", "NEVER", "SUCCESS,DELAY", "FAILURE"});
  for (size_t rid = 0; rid < 4; ++rid) delivery.failed[rid] = "5.1.1 no";
  choose_notices(delivery, settings_with(), kBorn);
  CHECK(telling(delivery) == "0f 3f");
  const BounceRequest request = notices_for(delivery, settings_with()).at(0).request;
  CHECK(request.recipients.size() == 2);
  CHECK(request.addressee() == "a@x.example");
  CHECK(request.last_try == kBorn + 1000);
  take_told(delivery, true);
  for (const RecipientState state : delivery.queued.states) CHECK(state == RecipientState::failed);
  CHECK_FALSE(delivery.pending());
}

TEST_CASE("a failure that could not be told is put back, one that is silent is not") {
  Delivery delivery = delivery_of({"", "NEVER"});
  delivery.failed = {{0, "5.1.1 no"}, {1, "5.1.1 no"}};
  choose_notices(delivery, settings_with(), kBorn);
  take_told(delivery, false);
  CHECK(delivery.queued.states[0] == RecipientState::pending);
  CHECK(delivery.queued.states[1] == RecipientState::failed);
  CHECK(delivery.deferred.contains(0));
}

TEST_CASE("a delay is told once, when the message is old enough, unless that is turned off") {
  const auto chosen = [](uint64_t delay_warning, uint64_t age) {
    Delivery delivery = delivery_of({"", "", "NEVER", "FAILURE", "DELAY"});
    for (size_t rid = 0; rid < 5; ++rid) delivery.deferred[rid] = "4.4.1 later";
    delivery.attempts.warned = {{1, {.count = 1, .last = 0}}};
    choose_notices(delivery, settings_with(delay_warning), kBorn + age);
    return telling(delivery);
  };
  CHECK(chosen(100, 99) == "");
  CHECK(chosen(100, 100) == "0d 4d");
  CHECK(chosen(0, 1000000) == "");
  Delivery delivery = delivery_of({""});
  delivery.deferred[0] = "4.4.1 later";
  choose_notices(delivery, settings_with(), kBorn - 5);  // the clock went back
  CHECK(telling(delivery) == "");
  choose_notices(delivery, settings_with(), kBorn + 500);
  take_told(delivery, false);
  CHECK(delivery.attempts.warned.empty());
  choose_notices(delivery, settings_with(), kBorn + 500);
  take_told(delivery, true);
  CHECK(delivery.attempts.warned.size() == 1);
  CHECK(delivery.attempts.warned.at(0).count == 1);
  CHECK(delivery.pending());
}

TEST_CASE("successes that wait to be told are told with the rest") {
  Delivery delivery = delivery_of({"SUCCESS", "SUCCESS", ""});
  delivery.queued.states = {RecipientState::done, RecipientState::done, RecipientState::pending};
  delivery.attempts.untold = {{0, {"relayed", "2.0.0 x"}}, {1, {"expanded", ""}}};
  delivery.failed[2] = "5.1.1 no";
  choose_notices(delivery, settings_with(), kBorn);
  CHECK(telling(delivery) == "0r 1e 2f");
  CHECK(take_told(delivery, false).empty());
  CHECK(delivery.attempts.untold.size() == 2);
  forget_old_successes(delivery, settings_with(), kBorn + 1999);
  CHECK(delivery.pending());
  delivery.deferred.clear();
  choose_notices(delivery, settings_with(), kBorn);
  CHECK(take_told(delivery, true) == std::set<size_t>{0, 1});
  CHECK(delivery.attempts.untold.empty());
  delivery.attempts.untold = {{0, {"relayed", "2.0.0 x"}}};
  forget_old_successes(delivery, settings_with(), kBorn + 2000);
  CHECK(delivery.attempts.untold.empty());
}

TEST_CASE("a failure of the null reverse-path goes to the postmaster once and never round") {
  Delivery delivery = delivery_of({"NEVER"}, "");
  delivery.failed[0] = "5.1.1 no";
  choose_notices(delivery, settings_with(), kBorn);
  CHECK(telling(delivery) == "0f");
  CHECK(notices_for(delivery, settings_with()).at(0).request.addressee() == "postmaster@me");
  SendSettings dropping = settings_with();
  dropping.double_bounce_to.clear();
  choose_notices(delivery, dropping, kBorn);
  CHECK(telling(delivery) == "");
  delivery.queued.envelope.sender = "#@[]";
  choose_notices(delivery, settings_with(), kBorn);
  CHECK(telling(delivery) == "");
  delivery.failed.clear();
  delivery.deferred[0] = "4.4.1 later";
  choose_notices(delivery, settings_with(), kBorn + 500);
  CHECK(telling(delivery) == "");
}

TEST_CASE("a list's owner is told of what its recipients' own senders stand for") {
  Delivery delivery = delivery_of({""}, "list-owner-@example.org-@[]");
  delivery.failed[0] = "5.1.1 no";
  choose_notices(delivery, settings_with(), kBorn);
  CHECK(telling(delivery) == "0f");
  const BounceRequest request = notices_for(delivery, settings_with()).at(0).request;
  CHECK(request.addressee() == "list-owner-@example.org");
}

TEST_CASE("what another host sends as a double bounce is told to nobody") {
  Delivery delivery = delivery_of({"SUCCESS,FAILURE"}, "#@[]");
  delivery.failed[0] = "5.1.1 no";
  choose_notices(delivery, settings_with(), kBorn);
  CHECK(telling(delivery).empty());
}

namespace {

SendSettings settings_of(std::string_view profiles, std::string_view destinations) {
  SendSettings settings = settings_with();
  Result<BounceProfiles> parsed = BounceProfiles::parse(profiles, "p");
  Result<Destinations> table = Destinations::parse(destinations, "d");
  REQUIRE(parsed.ok());
  REQUIRE(table.ok());
  settings.bounces = {.profiles = std::move(*parsed), .destinations = std::move(*table)};
  return settings;
}

}  // namespace

TEST_CASE("recipients with different profiles are told of apart, and each as its profile says") {
  const SendSettings settings = settings_of(
      "DEFAULT max_bounce_copy=10\nops bounce_recipient=ops@example.org bounce_format=plain sign_bounces=on "
      "template=de\nquiet send_hard_bounces=off\n",
      "ops.example bounce_profile=ops\nquiet.example bounce_profile=quiet\n");
  Delivery delivery = delivery_of({"", "", "", "SUCCESS", ""});
  delivery.queued.envelope.recipients[1].address = "r@ops.example";
  delivery.queued.envelope.recipients[2].address = "r@quiet.example";
  delivery.queued.envelope.recipients[3].address = "d@ops.example";
  for (const size_t rid : {0U, 1U, 2U, 4U}) delivery.failed[rid] = "5.1.1 no";
  delivery.attempts.untold[3] = {"relayed", "2.0.0 ok"};
  choose_notices(delivery, settings, kBorn);
  CHECK(telling(delivery) == "0f 1f 3r 4f");
  const std::vector<Notice> notices = notices_for(delivery, settings);
  REQUIRE(notices.size() == 3);
  std::string said;
  for (const Notice& notice : notices) {
    const BounceRequest& request = notice.request;
    said += request.addressee() + (request.plain ? " plain" : " dsn") + (request.sign ? " signed" : "") +
            " " + request.bounce_template + " " + std::to_string(request.copy_bytes) + ":";
    for (const size_t rid : notice.rids) said += " " + std::to_string(rid);
    said += "\n";
    CHECK(request.recipients.size() == notice.rids.size());
  }
  CHECK(said ==
        "a@x.example dsn  10: 0 4\n"
        "a@x.example plain signed de 10: 3\n"
        "ops@example.org plain signed de 10: 1\n");
  // One of the three could not be made.
  delivery.not_told = {0, 4};
  CHECK(take_told(delivery, true) == std::set<size_t>{3});
  CHECK(delivery.deferred.size() == 2);
  CHECK(delivery.queued.states[1] == RecipientState::failed);
  CHECK(delivery.queued.states[2] == RecipientState::failed);
  CHECK(delivery.queued.states[0] == RecipientState::pending);
  CHECK(delivery.not_told.empty());
}

TEST_CASE("RET=HDRS wins over what a profile returns") {
  Delivery delivery = delivery_of({""});
  delivery.failed[0] = "5.1.1 no";
  const SendSettings settings = settings_of("DEFAULT max_bounce_copy=10\n", "");
  delivery.queued.envelope.ret = "HDRS";
  choose_notices(delivery, settings, kBorn);
  CHECK(notices_for(delivery, settings).at(0).request.copy_bytes == 0);
}

TEST_CASE("delays are told again after each interval, as often as the profile says") {
  const SendSettings settings =
      settings_of("DEFAULT send_delay_warnings=on delay_warning_interval=100 max_delay_warnings=2\n", "");
  const auto chosen = [&](Warnings before, uint64_t age) {
    Delivery delivery = delivery_of({""});
    delivery.deferred[0] = "4.4.1 later";
    if (before.count > 0) delivery.attempts.warned[0] = before;
    choose_notices(delivery, settings, kBorn + age);
    return telling(delivery);
  };
  CHECK(chosen({}, 99) == "");
  CHECK(chosen({}, 100) == "0d");
  CHECK(chosen({1, kBorn + 100}, 199) == "");
  CHECK(chosen({1, kBorn + 100}, 200) == "0d");
  CHECK(chosen({2, kBorn + 200}, 1000) == "");
}
