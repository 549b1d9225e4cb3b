#include "receipt/ldap_accept.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace postern;

namespace {

Decision decided(int exit_code, const std::string& output) {
  return ldap_accepts({.recipient = "a@example.org"}, [&](const Request&) -> Result<Reply> {
    return Reply{.exit_code = exit_code, .output = output};
  });
}

}  // namespace

TEST_CASE("what a directory says of a recipient is a reply") {
  CHECK(decided(0, "people (control/ldap line 3) finds uid=a\n").passes());
  CHECK(decided(0, "people (control/ldap line 3) finds uid=a\n").why ==
        "people (control/ldap line 3) finds uid=a");
  const Decision none = decided(1, "people finds no entry\n");
  CHECK(none.reply.code == "550");
  CHECK(none.reply.status == "5.1.1");
  CHECK(none.step == "ldap");
  CHECK(none.why == "people finds no entry");
  const Decision away = decided(111, "defer\tldap://a: no answer\n");
  CHECK(away.reply.code == "451");
  CHECK(away.reply.status == "4.3.0");
  CHECK(away.why == "ldap://a: no answer");
  CHECK(decided(111, "accept\tldap://a: no answer\n").passes());
}

TEST_CASE("an answer that is none is no yes and no no") {
  for (const int code : {2, 55, 75, 100, 255}) {
    CAPTURE(code);
    CHECK(decided(code, "").reply.code == "451");
    CHECK(decided(code, "accept\tx\n").reply.code == "451");
  }
  CHECK(decided(111, "").reply.code == "451");
  CHECK(decided(111, "acceptance\tx").reply.code == "451");
  const Decision nobody = ldap_accepts(
      {.recipient = "a@b"}, [](const Request&) -> Result<Reply> { return temporary("nobody there"); });
  CHECK(nobody.reply.code == "451");
  CHECK(nobody.why == "nobody there");
}

TEST_CASE("recipient, sender and query are arguments, the null reverse-path too") {
  std::vector<std::string> seen;
  const LdapAsk ask = [&](const Request& request) -> Result<Reply> {
    seen = request.arguments;
    return Reply{.exit_code = 0, .output = ""};
  };
  CHECK(ldap_accepts({.recipient = "a@b"}, ask).passes());
  CHECK(seen == std::vector<std::string>{"accept", "a@b", ""});
  CHECK(ldap_accepts({.recipient = "a@b", .sender = "s@t", .query = "people"}, ask).passes());
  CHECK(seen == std::vector<std::string>{"accept", "a@b", "s@t", "people"});
}
