#include "remote/sts_decision.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <string>

#include "remote/sts.h"
#include "remote/sts_cache.h"
#include "remote/tls_findings.h"
#include "tests/unit/scratch.h"

using namespace postern;

namespace {

using Records = Result<std::vector<std::string>>;
constexpr uint64_t kNow = 10 * 86400;

// Fetched `age` seconds ago, for ten days.
StsEntry entry_of(uint64_t age, const std::string& result = "", uint64_t tried_ago = 0) {
  StsEntry entry{.domain = "x.test", .fetched = kNow - age, .tried = kNow - tried_ago, .result = result};
  entry.policy = {.mode = StsPolicy::Mode::enforce, .mx = {"mx.x.test"}, .id = "1", .max_age = 864000};
  return entry;
}

Records announced(const std::string& id) {
  return std::vector<std::string>{"v=STSv1; id=" + id};
}

}  // namespace

TEST_CASE("a policy that holds and is the announced one needs no fetch, but a new one after a day") {
  StsDecision decision = decide_sts("x.test", entry_of(100), announced("1"), kNow);
  REQUIRE(decision.answer.has_value());
  CHECK(decision.answer->outcome == StsAnswer::Outcome::found);
  CHECK(decision.answer->left == 863900);
  CHECK_FALSE(decision.due);
  decision = decide_sts("x.test", entry_of(86400), announced("1"), kNow);
  CHECK(decision.answer.has_value());
  CHECK(decision.due);
  decision = decide_sts("x.test", entry_of(86400, "sts-policy-fetch-error", 299), announced("1"), kNow);
  CHECK(decision.answer.has_value());
  CHECK_FALSE(decision.due);
  StsEntry brief = entry_of(150);
  brief.policy.max_age = 300;
  CHECK(decide_sts("x.test", brief, announced("1"), kNow).due);
}

TEST_CASE("while a policy is fetched, the one of before holds, and what is not known is waited for") {
  using Outcome = StsAnswer::Outcome;
  const auto meanwhile = [](const std::optional<StsEntry>& entry) {
    return sts_answer_meanwhile("x.test", entry, "it is being fetched", kNow).outcome;
  };
  CHECK(meanwhile(std::nullopt) == Outcome::pending);
  CHECK(meanwhile(entry_of(100)) == Outcome::found);
  CHECK(meanwhile(entry_of(864000)) == Outcome::pending);
  // A server that never answers keeps no mail back for ever.
  CHECK(meanwhile(entry_of(864000, "sts-policy-fetch-error", 400)) == Outcome::failed);
  CHECK(meanwhile(entry_of(864000, "sts-policy-fetch-error", 86400)) == Outcome::pending);
  CHECK(sts_answer_meanwhile("x.test", entry_of(100), "why", kNow).why == "why");
}

TEST_CASE("a policy that is still being fetched defers, and makes no record") {
  TlsFindings findings;
  findings.sts_pending = true;
  const TlsDemand demand = demand_for({}, "x.test", "mx.x.test", findings);
  CHECK(demand.refusal == "the MTA-STS policy is still being fetched");
  CHECK_FALSE(demand.report_only);
  StsOfDelivery sts({.sts = "none", .dns = "/bin/false"}, "x.test");
  CHECK_FALSE(begin_tls_record(sts, {}, "x.test", findings).has_value());
}

TEST_CASE("who asks tells that a policy is in use, once an hour") {
  StsEntry entry = entry_of(100);
  entry.used = kNow - kStsTouchSeconds;
  CHECK(sts_to_be_touched(entry, kNow));
  entry.used += 1;
  CHECK_FALSE(sts_to_be_touched(entry, kNow));
  entry.used = kNow + 10;  // the clock was set back
  CHECK_FALSE(sts_to_be_touched(entry, kNow));
}

TEST_CASE("what is new, or has ended, has to be fetched, unless that failed lately") {
  CHECK_FALSE(decide_sts("x.test", std::nullopt, announced("1"), kNow).answer.has_value());
  CHECK_FALSE(decide_sts("x.test", entry_of(100), announced("2"), kNow).answer.has_value());
  CHECK_FALSE(decide_sts("x.test", entry_of(864000), announced("1"), kNow).answer.has_value());
  const StsDecision later =
      decide_sts("x.test", entry_of(100, "sts-webpki-invalid", 10), announced("2"), kNow);
  REQUIRE(later.answer.has_value());
  CHECK(later.answer->outcome == StsAnswer::Outcome::found);
  CHECK(later.answer->result == "sts-webpki-invalid");
  CHECK_FALSE(decide_sts("x.test", entry_of(100, "sts-webpki-invalid", 300), announced("2"), kNow)
                  .answer.has_value());
  const StsEntry never{.domain = "x.test", .tried = kNow - 10, .result = "sts-policy-invalid"};
  const StsDecision failed = decide_sts("x.test", never, announced("1"), kNow);
  REQUIRE(failed.answer.has_value());
  CHECK(failed.answer->outcome == StsAnswer::Outcome::failed);
}

TEST_CASE("no record, or no answer, takes no policy away that holds") {
  const Records none = std::vector<std::string>{};
  const Records unknown = temporary("no answer", 0, "4.4.3");
  CHECK(decide_sts("x.test", std::nullopt, none, kNow).answer->outcome == StsAnswer::Outcome::none);
  CHECK(decide_sts("x.test", std::nullopt, unknown, kNow).answer->outcome == StsAnswer::Outcome::failed);
  CHECK(decide_sts("x.test", entry_of(864000), none, kNow).answer->outcome == StsAnswer::Outcome::none);
  for (const Records& records : {none, unknown}) {
    const StsDecision decision = decide_sts("x.test", entry_of(100), records, kNow);
    REQUIRE(decision.answer.has_value());
    CHECK(decision.answer->outcome == StsAnswer::Outcome::found);
    CHECK_FALSE(decision.due);
  }
}

TEST_CASE("MTA-STS is looked at only where neither the operator nor DANE decides") {
  const ScratchHome home;
  const std::string directory = home.path("db");
  REQUIRE(::mkdir(directory.c_str(), 0755) == 0);
  REQUIRE(::mkdir((directory + "/sts").c_str(), 0755) == 0);
  StsEntry entry = entry_of(0);
  entry.fetched = entry.tried = 4000000000;  // holds for long
  REQUIRE(StsCache(directory + "/sts").put(entry, kNow).ok());
  const StsPrograms nobody_answers{.sts = "/bin/false", .dns = "/bin/false"};
  struct Row {
    TlsLevel level;
    DaneResult::Outcome dane;
    bool looked_at;
    const char* type;  // of the record; empty: there is none
  };
  using Outcome = DaneResult::Outcome;
  for (const Row& row : {Row{TlsLevel::dane, Outcome::not_applicable, true, "sts"},
                         Row{TlsLevel::dane, Outcome::absent, true, "sts"},
                         Row{TlsLevel::dane, Outcome::usable, false, "tlsa"},
                         Row{TlsLevel::dane, Outcome::unusable, false, "tlsa"},
                         Row{TlsLevel::dane, Outcome::failed, false, "tlsa"},
                         Row{TlsLevel::dane_only, Outcome::absent, false, "no-policy-found"},
                         Row{TlsLevel::dane_only, Outcome::usable, false, "tlsa"},
                         Row{TlsLevel::may, Outcome::not_applicable, false, ""},
                         Row{TlsLevel::off, Outcome::not_applicable, false, ""},
                         Row{TlsLevel::secure, Outcome::not_applicable, false, ""}}) {
    CAPTURE(static_cast<int>(row.level));
    CAPTURE(static_cast<int>(row.dane));
    Destination destination;
    destination.table_tls = row.level;
    DaneResult dane;
    dane.outcome = row.dane;
    dane.tlsa = {{3, 1, 1, "\x01\xff"}};
    TlsFindings findings{.dane = &dane};
    StsOfDelivery sts(nobody_answers, "X.test");
    add_sts(sts, destination, "mx.x.test", findings);
    CHECK((findings.sts != nullptr) == row.looked_at);
    CHECK(findings.sts_names_host);
    const std::optional<TlsRecord> record = begin_tls_record(sts, destination, "X.test", findings);
    CHECK((record ? record->type : "") == row.type);
    if (row.dane == Outcome::usable) CHECK(record->policy == std::vector<std::string>{"3 1 1 01ff"});
  }
  TlsFindings findings;
  StsOfDelivery sts(nobody_answers, "x.test");
  add_sts(sts, {}, "mx.elsewhere.test", findings);
  CHECK_FALSE(findings.sts_names_host);
  StsOfDelivery off({.sts = "none", .dns = "/bin/false"}, "x.test");
  CHECK(off.answer().outcome == StsAnswer::Outcome::none);
}

TEST_CASE("the end of a session is its record's, but for a policy that could not be fetched") {
  const Target target{"mx.x.test", "192.0.2.2", 25};
  TlsRecord record{.domain = "x.test"};
  end_tls_record(record, target, "192.0.2.1", {});
  CHECK(record.result.empty());
  CHECK(record.host == "mx.x.test");
  end_tls_record(record, target, "192.0.2.1", {"certificate-expired", "it is"});
  CHECK(record.result == "certificate-expired");
  record.result = "sts-policy-invalid";
  end_tls_record(record, target, "192.0.2.1", {"certificate-expired", "it is"});
  CHECK(record.result == "sts-policy-invalid");
}
