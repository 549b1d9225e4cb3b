#include "remote/tls_policy.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "remote/tls_outcome.h"

using namespace postern;

namespace {

Destination of(TlsLevel level) {
  Destination made;
  made.table_tls = level;
  return made;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("the levels off, may, encrypt, verify and secure decide alone") {
  struct Row {
    TlsLevel level;
    TlsNeed need;
    Names names;
    std::string why;
  };
  const Row rows[] = {
      {TlsLevel::off, TlsNeed::none, {}, "off"},
      {TlsLevel::may, TlsNeed::opportunistic, {"mx.example.net"}, "may"},
      {TlsLevel::encrypt, TlsNeed::encrypted, {"mx.example.net"}, "encrypt"},
      {TlsLevel::verify, TlsNeed::authenticated, {"mx.example.net"}, "verify"},
      {TlsLevel::secure, TlsNeed::authenticated, {"example.org", ".example.org"}, "secure"},
      {TlsLevel::dane, TlsNeed::opportunistic, {"mx.example.net"}, "may"},
  };
  const DaneResult dane{DaneResult::Outcome::failed, {}, {}, "bogus"};
  const StsPolicy sts{StsPolicy::Mode::enforce, {}, "", 0};
  for (const Row& row : rows) {
    CAPTURE(row.why);
    Destination destination = of(row.level);
    destination.certificate = "ours";
    for (const bool asked : {false, true}) {
      if (asked && row.level == TlsLevel::dane) continue;
      const TlsFindings findings = asked ? TlsFindings{&dane, &sts, false} : TlsFindings{};
      const TlsDemand demand = demand_for(destination, "example.org", "mx.example.net", findings);
      CHECK(demand.need == row.need);
      CHECK(demand.names == row.names);
      CHECK(demand.why == row.why);
      CHECK(demand.certificate == "ours");
      CHECK(demand.tlsa.empty());
      CHECK(demand.refusal.empty());
      CHECK_FALSE(demand.report_only);
    }
  }
}

TEST_CASE("dane: DANE first, then MTA-STS, then opportunistic TLS; dane-only: DANE or nothing") {
  using Outcome = DaneResult::Outcome;
  using Mode = StsPolicy::Mode;
  struct Row {
    Outcome dane;
    Mode sts;
    bool sts_names_host;
    TlsNeed need;
    std::string why, refusal_type, refusal_type_dane_only;
    bool report_only;
  };
  const Row rows[] = {
      {Outcome::usable, Mode::none, true, TlsNeed::authenticated, "dane", "", "", false},
      {Outcome::usable, Mode::enforce, false, TlsNeed::authenticated, "dane", "", "", false},
      {Outcome::unusable, Mode::enforce, false, TlsNeed::encrypted, "dane", "", "tlsa-invalid", false},
      {Outcome::failed, Mode::none, true, TlsNeed::opportunistic, "dane", "dnssec-invalid", "dnssec-invalid",
       false},
      {Outcome::absent, Mode::none, true, TlsNeed::opportunistic, "may", "", "dane-required", false},
      {Outcome::not_applicable, Mode::none, true, TlsNeed::opportunistic, "may", "", "dane-required", false},
      {Outcome::absent, Mode::enforce, true, TlsNeed::authenticated, "sts", "", "dane-required", false},
      {Outcome::not_applicable, Mode::enforce, false, TlsNeed::opportunistic, "sts", "validation-failure",
       "dane-required", false},
      {Outcome::absent, Mode::testing, true, TlsNeed::authenticated, "sts", "", "dane-required", true},
      {Outcome::absent, Mode::testing, false, TlsNeed::opportunistic, "sts", "validation-failure",
       "dane-required", true},
  };
  for (const Row& row : rows) {
    CAPTURE(static_cast<int>(row.dane));
    CAPTURE(static_cast<int>(row.sts));
    const DaneResult dane{row.dane, {{3, 1, 1, "x"}}, {"mx.example.net", "alias.example"}, "bogus"};
    const StsPolicy sts{row.sts, {}, "", 0};
    const TlsFindings findings{&dane, &sts, row.sts_names_host};
    const TlsDemand demand = demand_for(of(TlsLevel::dane), "example.org", "mx.example.net", findings);
    CHECK(demand.need == row.need);
    CHECK(demand.why == row.why);
    CHECK(demand.refusal_type == row.refusal_type);
    CHECK(demand.refusal.empty() == row.refusal_type.empty());
    CHECK(demand.report_only == row.report_only);
    const bool usable = row.dane == Outcome::usable;
    CHECK(demand.tlsa.size() == (usable ? 1 : 0));
    CHECK(demand.names == (usable ? dane.names : Names{"mx.example.net"}));
    const TlsDemand only = demand_for(of(TlsLevel::dane_only), "example.org", "mx.example.net", findings);
    CHECK(only.refusal_type == row.refusal_type_dane_only);
    CHECK((only.need == TlsNeed::authenticated) == usable);
    CHECK_FALSE(only.report_only);
  }
  CHECK(demand_for(of(TlsLevel::dane_only), "example.org", "mx.example.net").refusal_type == "dane-required");
}

TEST_CASE("tls_report delivers all the same, whatever the level") {
  Destination destination = of(TlsLevel::secure);
  destination.tls_report = true;
  CHECK(demand_for(destination, "example.org", "mx.example.net").report_only);
  destination.table_tls = TlsLevel::dane_only;
  const TlsDemand demand = demand_for(destination, "example.org", "mx.example.net");
  CHECK(demand.report_only);
  CHECK(demand.need == TlsNeed::opportunistic);
  CHECK_FALSE(demand.refusal.empty());
}

TEST_CASE("a kept connection carries mail for another destination only where it does for its policy") {
  TlsOutcome plain;
  TlsOutcome encrypted;
  encrypted.did = TlsOutcome::Did::encrypted;
  TlsOutcome verified;
  verified.did = TlsOutcome::Did::authenticated;
  struct Row {
    TlsLevel made_for, wanted;
    const TlsOutcome* outcome;
    bool fits;
  };
  const Row rows[] = {
      {TlsLevel::may, TlsLevel::may, &plain, true},
      {TlsLevel::secure, TlsLevel::secure, &verified, true},
      {TlsLevel::may, TlsLevel::encrypt, &plain, false},
      {TlsLevel::off, TlsLevel::may, &plain, false},
      {TlsLevel::may, TlsLevel::encrypt, &encrypted, true},
      {TlsLevel::verify, TlsLevel::may, &verified, true},
      {TlsLevel::may, TlsLevel::off, &plain, true},
      {TlsLevel::may, TlsLevel::off, &encrypted, false},
      {TlsLevel::encrypt, TlsLevel::verify, &encrypted, false},
      {TlsLevel::verify, TlsLevel::secure, &verified, false},
      {TlsLevel::may, TlsLevel::dane, &encrypted, false},
      {TlsLevel::secure, TlsLevel::dane_only, &verified, false},
  };
  for (const Row& row : rows) {
    CAPTURE(static_cast<int>(row.made_for));
    CAPTURE(static_cast<int>(row.wanted));
    CHECK(connection_fits(of(row.made_for), *row.outcome, of(row.wanted)) == row.fits);
    Destination other = of(row.wanted);
    other.certificate = "ours";
    CHECK_FALSE(connection_fits(of(row.made_for), *row.outcome, other));
  }
  Destination reporting = of(TlsLevel::verify);
  reporting.tls_report = true;
  CHECK_FALSE(connection_fits(reporting, encrypted, of(TlsLevel::verify)));
}

TEST_CASE("the log says what TLS there was, or why there was none") {
  TlsOutcome outcome{TlsNeed::authenticated,   "dane", TlsOutcome::Did::authenticated, {}, "TLSv1.3",
                     "TLS_AES_256_GCM_SHA384", true};
  CHECK(tls_success_text(outcome, "example.org") ==
        "TLS success protocol TLSv1.3 cipher TLS_AES_256_GCM_SHA384 for example.org policy dane verified "
        "resumed");
  outcome.fault = {"certificate-expired", "certificate has expired"};
  CHECK(tls_failure_text(outcome, "a\nb") ==
        "TLS failed: certificate-expired: certificate has expired for a\\x0ab policy dane");
}
