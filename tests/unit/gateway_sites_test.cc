#include "queue/gateway_sites.h"

#include <doctest/doctest.h>

#include <string>

#include "scratch.h"

using namespace postern;

namespace {

DeliveryJob job(const std::string& site, const std::string& sender) {
  DeliveryJob made{};
  made.site = site;
  made.arguments = {site, sender, "b@" + site};
  made.rids = {0};
  made.remote = true;
  return made;
}

}  // namespace

TEST_CASE("where gateways count apart, a site has the gateway in its name") {
  const ScratchHome home;
  home.write("control/altsrchost",
             "pool bulk 192.0.2.1 192.0.2.2\n@bulk.example bulk\n@boss.example 192.0.2.3 192.0.2.4\n");
  const Result<Destinations> table = Destinations::parse("apart.example limit_apply=vg\n", "destinations");
  REQUIRE(table.ok());
  Jobs jobs;
  jobs.remote.push_back(job("apart.example", "a@bulk.example"));
  jobs.remote.push_back(job("apart.example", "a@boss.example"));
  jobs.remote.push_back(job("apart.example", "a@other.example"));
  jobs.remote.push_back(job("together.example", "a@bulk.example"));
  jobs.remote.push_back(job("apart.example", "a@other.example"));
  jobs.remote.back().kept.set("POSTERN_SOURCE", "192.0.2.9");
  jobs.remote.push_back(job("apart.example", "a@bulk.example"));
  jobs.remote.back().kept.set("POSTERN_SOURCE", "nopool");
  GatewaySites sites;
  sites.name(jobs, *table);
  std::vector<std::string> names;
  for (const DeliveryJob& named : jobs.remote) {
    names.push_back(named.site);
    CHECK(destination_of(named.site) == named.arguments[0]);
  }
  CHECK(names == std::vector<std::string>{"apart.example by bulk", "apart.example by 192.0.2.3 192.0.2.4",
                                          "apart.example", "together.example", "apart.example by 192.0.2.9",
                                          "apart.example"});
  // A table that is broken: as it was.
  home.write("control/altsrchost", "nonsense\n");
  Jobs one;
  one.remote.push_back(job("apart.example", "a@bulk.example"));
  sites.name(one, *table);
  CHECK(one.remote[0].site == "apart.example");
}
