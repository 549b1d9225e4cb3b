#include "smtpd/changed_client.h"

#include <doctest/doctest.h>

#include "lib/cdb_table.h"
#include "smtpd/admission.h"
#include "tests/unit/scratch.h"

using namespace postern;
using namespace postern::smtpd;

namespace {

Environment environment_of(std::initializer_list<std::pair<const char*, const char*>> variables) {
  Environment environment;
  for (const auto& [name, value] : variables) environment.set(name, value);
  return environment;
}

std::string policy_for(const Environment& environment, const char* client, const Environment& listener) {
  ProxiedClient brought;
  brought.remote_ip = client;
  const Result<ChangedClient> changed = change_client(environment, brought, listener);
  REQUIRE(changed.ok());
  CHECK(changed->environment.get_or("TCPREMOTEIP", "") == client);
  CHECK_FALSE(changed->environment.get("RELAYCLIENT"));
  return changed->environment.get_or("POSTERN_POLICY", "none");
}

}  // namespace

TEST_CASE("a proxy takes no policy from the listener, and leaves none of its own") {
  const ScratchHome home;
  const std::string rule = std::string("+RELAYCLIENT=\0+POSTERN_POLICY=OF_PROXY\0", 39);
  const std::string rule_of_client = std::string("+POSTERN_POLICY=OF_CLIENT\0", 26);
  REQUIRE(write_cdb(home.path("control/tcp.smtp.cdb"),
                    {{"127.0.0.5", rule}, {"192.0.2.2", rule_of_client}, {"", ""}})
              .ok());
  const Environment submission = environment_of({{"POSTERN_POLICY", "SUBMISSION"}});
  const Environment ruled =
      environment_of({{"TCPREMOTEIP", "127.0.0.5"}, {"RELAYCLIENT", ""}, {"POSTERN_POLICY", "OF_PROXY"}});
  CHECK(policy_for(ruled, "192.0.2.1", submission) == "SUBMISSION");
  CHECK(policy_for(ruled, "192.0.2.1", {}) == "none");
  CHECK(policy_for(ruled, "192.0.2.2", submission) == "OF_CLIENT");
  // Under another server, whose rule says nothing of the policy.
  const Environment unruled =
      environment_of({{"TCPREMOTEIP", "127.0.0.6"}, {"RELAYCLIENT", ""}, {"POSTERN_POLICY", "SUBMISSION"}});
  CHECK(policy_for(unruled, "192.0.2.1", {}) == "SUBMISSION");
}

TEST_CASE("a policy that is named and not to be found lets nobody in") {
  const ScratchHome home;
  Environment environment = environment_of({{"TCPREMOTEIP", "192.0.2.1"}});
  CHECK(admit(environment).ok());
  environment.set("POSTERN_POLICY", "SUBMISSION");
  const Result<Admission> admission = admit(environment);
  REQUIRE_FALSE(admission.ok());
  CHECK(admission.failure().status == "4.3.5");
}
