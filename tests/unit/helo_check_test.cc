#include "receipt/helo_check.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/unit/dns_stub.h"

using namespace postern;

namespace {

Decision check(const std::string& name, const std::string& client = "198.51.100.7", bool dns = false,
               std::vector<std::string>* asked = nullptr) {
  MailFlowPolicy policy;
  policy.check_helo = true;
  policy.helo_dns = dns;
  return check_helo(
      policy, {.name = name, .client_ip = client, .local_ip = "192.0.2.25", .me = "mx.example.org"},
      dns_of_lines("there.example A 192.0.2.1\nempty.example TXT \"x\"\nslow.example ANY TIMEOUT", asked));
}

}  // namespace

TEST_CASE("a client says a full host name or its address in brackets, and not ours") {
  struct Case {
    const char* name;
    bool passes;
  };
  const Case cases[] = {
      {"mail.client.example", true},
      {"mail.client.example.", true},
      {"under_score.example", true},
      {"[198.51.100.7]", true},
      {"[192.0.2.99]", true},
      {"[IPv6:2001:db8::1]", true},
      {"[ipv6:2001:db8::1]", true},
      {"client", false},
      {"localhost", false},
      {"localhost.localdomain", false},
      {"198.51.100.7", false},
      {"2001:db8::1", false},
      {"198.51.100", false},
      {"1.2.3.4.5", false},
      {"mx.example.org", false},
      {"MX.Example.ORG", false},
      {"mx.example.org.", false},
      {"[192.0.2.25]", false},
      {"[::ffff:192.0.2.25]", false},
      {"[2001:db8::1]", false},
      {"[IPv6:192.0.2.1]", false},
      {"[]", false},
      {"[client.example]", false},
      {"[192.0.2.1", false},
      {"-a.example", false},
      {"a..example", false},
      {".example", false},
      {"a!b.example", false},
      {"", false},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const Decision decision = check(c.name);
    CHECK(decision.passes() == c.passes);
    CHECK_FALSE(decision.why.empty());
    if (!c.passes) CHECK(decision.reply.line().starts_with("550 5.7.1 HELO: "));
  }
  CHECK_FALSE(check(std::string(64, 'a') + ".example").passes());
  CHECK_FALSE(check(std::string(100000, 'a') + ".example").passes());
}

TEST_CASE("programs of this host may call themselves as it is called") {
  for (const char* here : {"127.0.0.1", "::1", "192.0.2.25", "::ffff:127.0.0.1", "unknown"}) {
    CAPTURE(here);
    CHECK(check("mx.example.org", here).passes());
    CHECK(check("[192.0.2.25]", here).passes());
  }
}

TEST_CASE("with helo_dns the name must be in the DNS; no answer is no reason") {
  CHECK(check("there.example", "198.51.100.7", true).passes());
  CHECK(check("slow.example", "198.51.100.7", true).passes());
  CHECK_FALSE(check("nothing.example", "198.51.100.7", true).passes());
  CHECK_FALSE(check("empty.example", "198.51.100.7", true).passes());
  std::vector<std::string> asked;
  CHECK(check("nothing.example", "198.51.100.7", false, &asked).passes());
  CHECK(check("[198.51.100.7]", "198.51.100.7", true, &asked).passes());
  CHECK(asked.empty());
}

TEST_CASE("a policy without the check lets any name pass") {
  CHECK(check_helo({}, {.name = "x", .client_ip = "", .local_ip = "", .me = ""}, {}).passes());
}
