#include "queue/admission.h"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <utility>

#include "queue/deliverers.h"
#include "scratch.h"

using namespace postern;

TEST_CASE("who is told that the limits of a destination let nothing go does not learn of our gateways") {
  const Scratch directory;
  Sites sites(directory.path());
  Result<Destinations> table = Destinations::parse("far.example limit_apply=vg recipient_limit=1\n", "table");
  REQUIRE(table.ok());
  sites.configure(std::move(*table), 8, {});
  sites.admit("far.example by bulk", 1);
  Delivery delivery;
  delivery.queued.envelope.recipients.push_back({"a@far.example", "", ""});
  delivery.queued.born = 1;
  DeliveryJob job;
  job.site = "far.example by bulk";
  job.rids = {0};
  Jobs jobs;
  jobs.remote.push_back(std::move(job));
  admit_jobs(delivery, jobs, sites, false, {});
  CHECK(jobs.remote.empty());
  CHECK(delivery.deferred ==
        std::map<size_t, std::string>{
            {0, "4.4.5 the limits of far.example in control/destinations let nothing go"}});
}

TEST_CASE("what is taken back because of another job is told what that was told") {
  const std::vector<RecipientReport> reports = {{Outcome::delivered, "ok"},
                                                {Outcome::held_back, "1000 4.4.5 full"},
                                                {Outcome::temporary, "4.4.1 gone"}};
  const RecipientReport held = report_of_taken_back(Sites::Next::held, reports);
  CHECK(held.outcome == Outcome::held_back);
  CHECK(held.text == "0 4.4.5 full");
  const RecipientReport away = report_of_taken_back(Sites::Next::away, reports);
  CHECK(away.outcome == Outcome::temporary);
  CHECK(away.text.starts_with("4.4.1 gone (not tried again yet"));
}
