#include "queue/delivery.h"

#include <doctest/doctest.h>

#include <climits>
#include <string>

#include "lib/text.h"
#include "queue/pass.h"
#include "scratch.h"

using namespace postern;
using namespace std::string_literals;

namespace {

// A message in cur/ of a scratch spool, opened for delivery.
class Opened : public Scratch {
 public:
  explicit Opened(const std::vector<std::string>& recipients) : Opened(of_addresses(recipients)) {}
  explicit Opened(const Envelope& envelope) {
    REQUIRE(spool.make_directories().ok());
    const Fd message = memory_with("Subject: x\n\nbody\n");
    const Environment kept;
    Result<StagedMessage> staged = spool.stage({.message = message.get(),
                                                .limit_bytes = 1000,
                                                .first_header = "",
                                                .envelope = envelope,
                                                .kept = kept},
                                               17);
    REQUIRE(staged.ok());
    REQUIRE(spool.commit(std::move(*staged)).ok());
    REQUIRE(spool.take(17).ok());
    Result<Delivery> opened = open_delivery(spool, 17);
    REQUIRE(opened.ok());
    delivery = std::move(*opened);
  }

  static Envelope of_addresses(const std::vector<std::string>& recipients) {
    Envelope envelope;
    envelope.sender = "sender@example.org";
    envelope.body = "8BITMIME";
    for (const std::string& address : recipients) envelope.recipients.push_back({address, "", ""});
    return envelope;
  }

  [[nodiscard]] std::string states() const {
    Result<Fd> file = spool.open(17);
    REQUIRE(file.ok());
    Result<QueuedMessage> read = read_queue_file(file->get());
    REQUIRE(read.ok());
    std::string letters;
    for (const RecipientState state : read->states) letters += static_cast<char>(state);
    return letters;
  }

  const Spool spool{path("queue")};
  Delivery delivery;
};

const std::vector<std::string> kLocals = {"example.org", ".local.example"};

Rewriting rewriting(const std::vector<std::string>& locals, const std::string& me) {
  Result<Rewriting> made = Rewriting::make(me, locals, {});
  REQUIRE(made.ok());
  return *made;
}

}  // namespace

TEST_CASE("local recipients have a job each, remote ones share that of their domain") {
  Opened o({"a@far.example", "b@EXAMPLE.org", "c@FAR.example", "d@other.example", "e@sub.local.example",
            "f@far.example"});
  const Jobs jobs = make_jobs(o.delivery, rewriting(kLocals, "me.example.org"));
  REQUIRE(jobs.local.size() == 2);
  CHECK(jobs.local[0].arguments == std::vector<std::string>{"sender@example.org", "b@EXAMPLE.org"});
  CHECK(jobs.local[0].rids == std::vector<size_t>{1});
  CHECK(jobs.local[0].site == "b@example.org");
  CHECK(jobs.local[1].rids == std::vector<size_t>{4});
  REQUIRE(jobs.remote.size() == 2);
  CHECK(jobs.remote[0].site == "far.example");
  CHECK(jobs.remote[0].arguments == std::vector<std::string>{"far.example", "sender@example.org",
                                                             "a@far.example", "c@FAR.example",
                                                             "f@far.example"});
  CHECK(jobs.remote[0].rids == std::vector<size_t>{0, 2, 5});
  CHECK(jobs.remote[1].arguments ==
        std::vector<std::string>{"other.example", "sender@example.org", "d@other.example"});
  for (const DeliveryJob& job : jobs.remote) {
    CHECK(job.mid == 17);
    CHECK(job.extras == "b8BITMIME\0"s);
  }
}

TEST_CASE("a sender for each recipient makes a job for each, under the address as the list wrote it") {
  Envelope envelope =
      Opened::of_addresses({"a@far.example", "b@far.example", "a@far.example", "d@shop.example"});
  envelope.sender = "list-owner-@example.org-@[]";
  Opened o(envelope);
  Result<Rewriting> rewriting_all = Rewriting::make("me.example", {"me.example"}, {"shop.example:shop"});
  REQUIRE(rewriting_all.ok());
  const Jobs jobs = make_jobs(o.delivery, *rewriting_all);
  REQUIRE(jobs.remote.size() == 2);
  CHECK(jobs.remote[0].arguments == std::vector<std::string>{"far.example",
                                                             "list-owner-a=far.example@example.org",
                                                             "a@far.example", "a@far.example"});
  CHECK(jobs.remote[1].arguments[1] == "list-owner-b=far.example@example.org");
  REQUIRE(jobs.local.size() == 1);
  CHECK(jobs.local[0].arguments ==
        std::vector<std::string>{"list-owner-d=shop.example@example.org", "shop-d@shop.example"});
}

TEST_CASE("an address without a domain is of this host, and odd ones go somewhere") {
  Opened o({"postmaster", "", "x@", "\"a@example.org\"@far.example", "-rf@far.example"});
  Jobs jobs = make_jobs(o.delivery, rewriting({"me.example.org"}, "me.example.org"));
  REQUIRE(jobs.local.size() == 2);
  CHECK(jobs.local[0].arguments[1] == "postmaster@me.example.org");
  CHECK(jobs.local[1].arguments[1] == "@me.example.org");
  REQUIRE(jobs.remote.size() == 2);
  CHECK(jobs.remote[0].site.empty());
  CHECK(jobs.remote[1].rids == std::vector<size_t>{3, 4});
  jobs = make_jobs(o.delivery, rewriting({}, "me.example.org"));
  CHECK(jobs.local.empty());
}

TEST_CASE("only pending recipients get jobs, a hundred at most in one") {
  std::vector<std::string> recipients;
  for (int i = 0; i < 250; ++i) recipients.push_back("u" + std::to_string(i) + "@far.example");
  Opened o(recipients);
  o.delivery.queued.states[0] = RecipientState::done;
  o.delivery.queued.states[1] = RecipientState::failed;
  o.delivery.queued.states[2] = RecipientState::held;
  o.delivery.queued.states[3] = RecipientState::removed;
  const Jobs jobs = make_jobs(o.delivery, rewriting(kLocals, "me"));
  REQUIRE(jobs.remote.size() == 3);
  CHECK(jobs.remote[0].rids.size() == 100);
  CHECK(jobs.remote[0].rids.front() == 4);
  CHECK(jobs.remote[1].rids.size() == 100);
  CHECK(jobs.remote[2].rids.size() == 46);
  CHECK(jobs.remote[2].arguments.size() == 48);
}

TEST_CASE("the message that others get is a sealed copy without the records") {
  Opened o(std::vector<std::string>{"a@far.example"});
  REQUIRE(load_message(o.delivery).ok());
  CHECK(is_sealed(o.delivery.message.get()));
  CHECK(content_of(o.delivery.message.get()) == "Subject: x\n\nbody\n");
  CHECK_FALSE(write_all(o.delivery.message.get(), "x", "write").ok());
}

TEST_CASE("what was delivered is noted before the rest of the message is tried again") {
  Opened o({"a@far.example", "b@far.example", "c@far.example"});
  Jobs jobs = make_jobs(o.delivery, rewriting(kLocals, "me"));
  o.delivery.jobs_out = 1;
  take_reports(
      o.delivery, jobs.remote[0],
      {{Outcome::delivered, "ok"}, {Outcome::permanent, "5.1.1 no"}, {Outcome::temporary, "4.2.2 full"}}, {});
  CHECK(o.delivery.jobs_out == 0);
  CHECK(o.states() == "DPP");
  CHECK(o.delivery.failed == std::map<size_t, std::string>{{1, "5.1.1 no"}});
  CHECK(o.delivery.deferred == std::map<size_t, std::string>{{2, "4.2.2 full"}});
  CHECK(o.delivery.pending());
  set_states(o.delivery, o.delivery.failed, RecipientState::failed);
  set_states(o.delivery, o.delivery.deferred, RecipientState::held);
  CHECK(o.states() == "DXH");
  CHECK(o.delivery.pending());
}

TEST_CASE("a profile makes some refusals soft and some deferrals hard") {
  Opened o({"a@far.example", "b@far.example", "c@far.example", "d@far.example", "e@far.example"});
  Result<BounceProfiles> profiles = BounceProfiles::parse("DEFAULT soft=550+5.7.26 hard=4.1.8,452", "p");
  REQUIRE(profiles.ok());
  const Jobs jobs = make_jobs(o.delivery, rewriting(kLocals, "me"));
  o.delivery.jobs_out = 1;
  take_reports(o.delivery, jobs.remote[0],
               {{Outcome::permanent, "mx[192.0.2.1]:25 said: 550 5.7.26 no alignment"},
                {Outcome::permanent, "mx[192.0.2.1]:25 said: 554 5.7.26 no alignment"},
                {Outcome::temporary, "4.1.8 no such sender's domain"},
                {Outcome::temporary, "mx[192.0.2.1]:25 said: 452 4.2.2 full"},
                {Outcome::temporary, "mx[192.0.2.1]:25 said: 451 4.7.1 later"}},
               {.profiles = std::move(*profiles), .destinations = {}});
  CHECK(o.delivery.deferred.size() == 2);
  CHECK(o.delivery.deferred.contains(0));
  CHECK(o.delivery.deferred.contains(4));
  CHECK(o.delivery.failed.size() == 3);
}

TEST_CASE("what remote holds back waits for its site without a try, until its lifetime is over") {
  Opened o({"a@far.example", "b@far.example", "c@far.example"});
  const Jobs jobs = make_jobs(o.delivery, rewriting(kLocals, "me"));
  Result<BounceProfiles> profiles = BounceProfiles::parse("DEFAULT hard=4.4.5", "p");
  REQUIRE(profiles.ok());
  const BounceChoice choice{.profiles = std::move(*profiles), .destinations = {}};
  const std::vector<RecipientReport> reports = {
      {Outcome::delivered, "ok"}, {Outcome::held_back, "0 4.4.5 full"}, {Outcome::held_back, "0 4.4.5 full"}};
  o.delivery.jobs_out = 2;
  o.delivery.queued.born = now_microseconds();
  take_reports(o.delivery, jobs.remote[0], reports, choice);
  CHECK(o.states() == "DPP");
  CHECK(o.delivery.deferred.empty());
  CHECK(o.delivery.failed.empty());
  CHECK(o.delivery.held_back == "far.example");
  o.delivery.queued.born = 1;
  take_reports(o.delivery, jobs.remote[0], reports, choice);
  CHECK(o.delivery.deferred == std::map<size_t, std::string>{{1, "4.4.5 full"}, {2, "4.4.5 full"}});
}

TEST_CASE("a message that was delivered to all is pending no more") {
  Opened o({"a@far.example", "b@other.example"});
  Jobs jobs = make_jobs(o.delivery, rewriting(kLocals, "me"));
  o.delivery.jobs_out = 2;
  take_reports(o.delivery, jobs.remote[0], {{Outcome::delivered, "ok"}}, {});
  CHECK(o.states() == "DP");
  CHECK(o.delivery.pending());
  take_reports(o.delivery, jobs.remote[1], {{Outcome::delivered, "ok"}}, {});
  CHECK_FALSE(o.delivery.pending());
}

TEST_CASE("a message expires when its lifetime is over and never because of a large number") {
  Delivery delivery;
  delivery.queued.born = 1000ULL * 1000000 + 999999;
  CHECK_FALSE(delivery.expired({.lifetime = 100}, 0, 1099));
  CHECK(delivery.expired({.lifetime = 100}, 0, 1100));
  CHECK(delivery.expired({.lifetime = 0}, 0, 1000));
  CHECK_FALSE(delivery.expired({.lifetime = 0}, 0, 999));  // the clock went back
  CHECK_FALSE(delivery.expired({.lifetime = UINT64_MAX}, 0, 4000000000));
  // Born in the future: what counts is how long it was tried.
  const RetryProfile profile{.first_wait = 10, .longest_wait = 40, .lifetime = 100};
  CHECK_FALSE(delivery.expired(profile, 4, 900));  // 10 + 10 + 20 + 40
  CHECK(delivery.expired(profile, 5, 900));
  CHECK_FALSE(delivery.expired({.lifetime = UINT64_MAX}, UINT_MAX, 900));
}

TEST_CASE("a queue file that is missing or damaged is not opened") {
  Opened o(std::vector<std::string>{"a@far.example"});
  CHECK(open_delivery(o.spool, 18).failure().permanent());
  o.write("queue/cur/" + std::to_string(19 % POSTERN_SPLIT) + "/19", "no queue file");
  Result<Delivery> opened = open_delivery(o.spool, 19);
  REQUIRE_FALSE(opened.ok());
  CHECK_FALSE(opened.failure().permanent());
  o.write("queue/defer/" + std::to_string(17 % POSTERN_SPLIT) + "/17", "r 0 later\nt 3 100 200\n\xff");
  opened = open_delivery(o.spool, 17);
  REQUIRE(opened.ok());
  CHECK(opened->has_attempts_file);
  CHECK(opened->attempts.tries == 3);
}

TEST_CASE("a job carries the extras of its own recipients, under the names that it knows them by") {
  Envelope envelope = Opened::of_addresses({"a@far.example", "b", "c@far.example", "d@shop.example"});
  envelope.body.clear();
  envelope.ret = "HDRS";
  envelope.envid = "id+2B";
  envelope.recipients[0].notify = "NEVER";
  envelope.recipients[1].orcpt = "rfc822;b";
  envelope.recipients[3].notify = "SUCCESS,DELAY";
  Opened o(envelope);
  Result<Rewriting> rewriting_all = Rewriting::make("me.example", {"me.example"}, {"shop.example:shop"});
  REQUIRE(rewriting_all.ok());
  Jobs jobs = make_jobs(o.delivery, *rewriting_all);
  REQUIRE(jobs.local.size() == 2);
  REQUIRE(jobs.remote.size() == 1);
  CHECK(jobs.local[0].extras == "rHDRS\0eid+2B\0tb@me.example\0orfc822;b\0"s);
  CHECK(jobs.local[1].extras == "rHDRS\0eid+2B\0tshop-d@shop.example\0nSUCCESS,DELAY\0"s);
  CHECK(jobs.remote[0].extras == "rHDRS\0eid+2B\0ta@far.example\0nNEVER\0"s);
  CHECK(jobs.remote[0].remote);
  CHECK_FALSE(jobs.local[0].remote);

  Envelope plain = Opened::of_addresses({"a@far.example"});
  plain.body.clear();
  Opened without(plain);
  CHECK(make_jobs(without.delivery, *rewriting_all).remote[0].extras.empty());
}

TEST_CASE("a delivery that the sender asked to hear of is noted before its state byte") {
  Envelope envelope =
      Opened::of_addresses({"a@far.example", "b@far.example", "c@far.example", "d@far.example"});
  for (Recipient& recipient : envelope.recipients) recipient.notify = "SUCCESS";
  envelope.recipients[3].notify = "FAILURE";
  Opened o(envelope);
  Jobs jobs = make_jobs(o.delivery, rewriting({}, "me"));
  o.delivery.jobs_out = 1;
  take_reports(o.delivery, jobs.remote[0],
               {{Outcome::delivered, "2.0.0 there"},
                {Outcome::passed_on, "2.0.0 he tells"},
                {Outcome::expanded, ""},
                {Outcome::delivered, "2.0.0 there"}},
               {});
  CHECK(o.states() == "DDDD");
  CHECK(o.delivery.pending());
  const std::string noted = o.read("queue/defer/" + std::to_string(17 % POSTERN_SPLIT) + "/17");
  CHECK(noted == "\nd 0 relayed 2.0.0 there\nd 2 expanded \n");
  // As a process sees it that takes over here.
  Result<Delivery> again = open_delivery(o.spool, 17);
  REQUIRE(again.ok());
  CHECK(make_jobs(*again, rewriting({}, "me")).remote.empty());
  REQUIRE(again->attempts.untold.size() == 2);
  CHECK(again->attempts.untold.at(0).action == "relayed");
  CHECK(again->attempts.untold.at(2).action == "expanded");
  CHECK(again->pending());
}

TEST_CASE("a success counts only with its state byte, and is of nobody's interest without a sender") {
  Envelope envelope = Opened::of_addresses({"a@here.example"});
  envelope.recipients[0].notify = "SUCCESS,FAILURE";
  Opened o(envelope);
  o.write("queue/defer/" + std::to_string(17 % POSTERN_SPLIT) + "/17",
          "d 0 delivered 2.0.0 done\nd 7 relayed x\nd 99999999999 relayed x\n");
  Result<Delivery> opened = open_delivery(o.spool, 17);
  REQUIRE(opened.ok());
  CHECK(opened->attempts.untold.empty());

  envelope.sender.clear();
  Opened null_sender(envelope);
  Jobs jobs = make_jobs(null_sender.delivery, rewriting({"here.example"}, "me"));
  null_sender.delivery.jobs_out = 1;
  take_reports(null_sender.delivery, jobs.local[0], {{Outcome::delivered, "2.0.0 there"}}, {});
  CHECK(null_sender.delivery.attempts.untold.empty());
  CHECK_FALSE(null_sender.delivery.pending());
}

TEST_CASE("a recipient goes where a stage sent it, unless an order says another place") {
  Envelope envelope = Opened::of_addresses({"a@far.example", "b@far.example", "c@here.example"});
  envelope.recipients[1].route = "relay.example:2525";
  envelope.recipients[2].route = "[::1]";
  Opened opened(envelope);
  const Rewriting here = rewriting({"here.example"}, "here.example");
  const auto routes = [&] {
    std::string all;
    for (const DeliveryJob& job : make_jobs(opened.delivery, here).remote)
      all += job.arguments.back() + ">" + job.route + " ";
    return all;
  };
  CHECK(routes() == "a@far.example> b@far.example>relay.example:2525 c@here.example>[::1] ");
  opened.delivery.orders.recipients[1].route = "other.example";
  CHECK(routes() == "a@far.example> b@far.example>other.example c@here.example>[::1] ");
  for (const DeliveryJob& job : make_jobs(opened.delivery, here).remote)
    CHECK(job.extras.find("relay.example") == std::string::npos);
}

TEST_CASE("a tagged sender is that of the destinations that want it, and of nothing here") {
  Opened opened({"a@tagged.example", "b@plain.example", "c@tagged.example", "d@example.org"});
  const auto senders = [&](bool wanted) {
    std::string all;
    const Jobs jobs =
        make_jobs(opened.delivery, rewriting(kLocals, "example.org"),
                  [&](std::string_view domain) { return wanted && domain == "tagged.example"; });
    for (const DeliveryJob& job : jobs.remote) all += job.site + ":" + job.arguments[1] + " ";
    for (const DeliveryJob& job : jobs.local) all += job.arguments[0];
    return all;
  };
  const std::string untagged =
      "tagged.example:sender@example.org plain.example:sender@example.org sender@example.org";
  CHECK(senders(true) == untagged);  // a message from before
  opened.delivery.queued.kept.set("POSTERN_PRVS", "prvs=0786a1b2c3=sender@example.org");
  CHECK(senders(false) == untagged);
  CHECK(senders(true) ==
        "tagged.example:prvs=0786a1b2c3=sender@example.org plain.example:sender@example.org "
        "sender@example.org");
}

TEST_CASE("what came from outside, or is signed already, is not signed when it is forwarded") {
  struct Row {
    const char* name;
    const char* value;
    bool keep_unsigned;
  };
  Opened opened({"a@example.org", "b@far.example"});
  const auto jobs = [&] { return make_jobs(opened.delivery, rewriting(kLocals, "example.org")); };
  CHECK(jobs().local.at(0).keep_unsigned);  // nobody knows where it came from
  for (const Row& row : {Row{"POSTERN_DIRECTION", "in", true}, Row{"POSTERN_DIRECTION", "local", false},
                         Row{"POSTERN_DIRECTION", "out", false}, Row{"POSTERN_SIGN", "yes", false},
                         Row{"POSTERN_SIGN", "no", true}, Row{"POSTERN_SIGN", "", false},
                         Row{"POSTERN_SIGNED", "dkim", true}}) {
    CAPTURE(row.name);
    CAPTURE(row.value);
    opened.delivery.queued.kept.set(row.name, row.value);
    CHECK(jobs().local.at(0).keep_unsigned == row.keep_unsigned);
    CHECK_FALSE(jobs().remote.at(0).keep_unsigned);
  }
}

TEST_CASE("what a stage wants bounced has failed, with the status of its text or 5.7.1") {
  for (const auto& tried : {std::pair{"no such list", "5.7.1 no such list"},
                            {"5.1.1 nobody", "5.1.1 nobody"},
                            {"5.0.0 x", "5.0.0 x"},
                            {"a\nb", "5.7.1 a\\x0ab"}}) {
    const auto& text = tried.first;
    const auto& why = tried.second;
    CAPTURE(text);
    Opened opened({"a@example.org", "b@example.org", "c@example.org"});
    fail_as_asked(opened.delivery);
    CHECK(opened.delivery.failed.empty());
    opened.delivery.queued.kept.set("POSTERN_BOUNCE", text);
    opened.delivery.queued.states[1] = RecipientState::done;
    opened.delivery.queued.states[2] = RecipientState::held;
    fail_as_asked(opened.delivery);
    CHECK(opened.delivery.failed == std::map<size_t, std::string>{{0, why}});
  }
}
