#include "receipt/sender_dns.h"

#include <doctest/doctest.h>

#include <string>

#include "lib/cdb_table.h"
#include "lib/sender_exceptions.h"
#include "lib/text.h"
#include "receipt/default_domain.h"
#include "tests/unit/dns_stub.h"
#include "tests/unit/scratch.h"

using namespace postern;

namespace {

constexpr std::string_view kZone =
    "good.example MX 10 mx.good.example\nmx.good.example A 192.0.2.1\n"
    "implicit.example AAAA 2001:db8::1\n"
    "empty.example TXT \"x\"\n"
    "dead.example MX 10 nowhere.example\n"
    "null.example MX 0 .\n"
    "slow.example ANY TIMEOUT\n"
    "bogus.example MX BOGUS\n"
    "halfslow.example MX 10 mx.slow.example\nmx.slow.example ANY SERVFAIL\n"
    "oneslow.example MX 10 mx.slow.example\noneslow.example MX 20 mx.good.example\n";

std::string line_of(const Decision& decision) {
  return decision.passes() ? "pass" : decision.reply.code + " " + decision.reply.status;
}

void write_table(const ScratchHome& scratch, std::string_view text) {
  CdbRecords records;
  size_t number = 0;
  for (const std::string_view line : split(text, '\n')) {
    ++number;
    const Result<SenderException> exception = parse_exception_line(line);
    REQUIRE(exception.ok());
    records.emplace_back(exception->entry, exception_value(*exception, number));
  }
  REQUIRE(write_cdb(scratch.path("control/senderexceptions.cdb"), records).ok());
}

}  // namespace

TEST_CASE("the domain of an envelope sender must exist and take mail; no answer is temporary") {
  MailFlowPolicy policy;
  policy.verify_sender = true;
  struct Case {
    const char* sender;
    const char* outcome;
  };
  const Case cases[] = {
      {"", "pass"},
      {"a@good.example", "pass"},
      {"a@GOOD.example", "pass"},
      {"a@implicit.example", "pass"},
      {"a@oneslow.example", "pass"},
      {"a@[192.0.2.1]", "pass"},
      {"a@nothing.example", "550 5.1.8"},
      {"a@null.example", "550 5.7.27"},
      {"a@empty.example", "451 4.1.8"},
      {"a@dead.example", "451 4.1.8"},
      {"a@slow.example", "451 4.4.3"},
      {"a@bogus.example", "451 4.4.3"},
      {"a@halfslow.example", "451 4.4.3"},
      {"a@@b..c", "553 5.1.7"},
      {"a@", "553 5.1.7"},
      {"a@b..c", "553 5.1.7"},
      {"a@b c\x01.example", "550 5.1.8"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.sender);
    const Decision decision = check_sender_domain(policy, c.sender, dns_of_lines(kZone));
    CHECK(line_of(decision) == c.outcome);
    CHECK_FALSE(decision.why.empty());
    CHECK(decision.step == "sender-dns");
  }
}

TEST_CASE("each reason to refuse a sender has the policy's own code and text") {
  MailFlowPolicy policy;
  policy.verify_sender = true;
  policy.malformed = {.code = 501, .text = "5.5.2 no such form"};
  policy.no_such_domain = {.code = 450, .text = "come back"};
  policy.unresolvable = {.code = 554, .text = "5.1.8 nobody there"};
  const auto reply = [&](const char* sender) {
    return check_sender_domain(policy, sender, dns_of_lines(kZone)).reply.line();
  };
  CHECK(reply("a@b..c") == "501 5.5.2 no such form");
  CHECK(reply("a@nothing.example") == "450 4.1.8 come back");
  CHECK(reply("a@null.example").starts_with("550 5.7.27 "));  // has none of its own
  CHECK(reply("a@dead.example") == "554 5.1.8 nobody there");
  policy.allow_malformed = true;
  CHECK(check_sender_domain(policy, "a@b..c", dns_of_lines(kZone)).passes());
}

TEST_CASE("a policy without the verification of senders asks nothing") {
  std::vector<std::string> asked;
  CHECK(check_sender_domain({}, "a@nothing.example", dns_of_lines(kZone, &asked)).passes());
  CHECK(asked.empty());
}

TEST_CASE("the exception that is more exact goes first, and says its line") {
  const ScratchHome scratch;
  write_table(scratch,
              "good@bad.example accept\nbad.example reject 550 5.7.1 not you\n.bad.example accept\n"
              ".deep.bad.example reject\nxn--bcher-kva.example reject 450 later");
  Result<SenderExceptions> exceptions = SenderExceptions::open();
  REQUIRE(exceptions.ok());
  struct Case {
    const char* sender;
    const char* reply;  // "": nothing is said of it
    const char* line;
  };
  const Case cases[] = {
      {"Good@BAD.example", "pass", ":1: "},
      {"other@bad.example", "550 5.7.1 not you", ":2: "},
      {"other@a.bad.example", "pass", ":3: "},
      {"other@a.b.bad.example", "pass", ":3: "},
      {"other@deep.bad.example", "pass", ":3: "},
      {"other@x.deep.bad.example", "553 5.7.1 mail from this sender is not accepted here", ":4: "},
      {"a@xn--bcher-kva.example", "450 4.7.1 later", ":5: "},
      {"a@xbad.example", "", ""},
      {"a@example", "", ""},
      {"", "", ""},
      {"joe", "", ""},
  };
  MailFlowPolicy policy;
  for (const Case& c : cases) {
    CAPTURE(c.sender);
    const Result<std::optional<Decision>> found = check_sender_exceptions(policy, c.sender, *exceptions);
    REQUIRE(found.ok());
    const std::string said = !*found ? "" : (*found)->passes() ? "pass" : (*found)->reply.line();
    CHECK(said == c.reply);
    if (*found)
      CHECK((*found)->why.find("control/senderexceptions" + std::string(c.line)) != std::string::npos);
  }
  policy.exceptions = false;
  const Result<std::optional<Decision>> off =
      check_sender_exceptions(policy, "good@bad.example", *exceptions);
  REQUIRE(off.ok());
  CHECK_FALSE(off->has_value());
}

TEST_CASE("lines of exceptions are an entry and what becomes of it") {
  struct Case {
    std::string line;
    const char* value;  // "": the line is wrong
  };
  const Case cases[] = {
      {"a@b.example accept", "a@b.example: 1 accept"},
      {"@B.Example\tAccept", "b.example: 1 accept"},
      {"A@B.Example  reject", "a@b.example: 1 reject"},
      {".b.example reject 451 4.7.1 later, please", ".b.example: 1 reject 451 4.7.1 later, please"},
      {"b.example reject go away", "b.example: 1 reject go away"},
      {"m\xc3\xbcnchen.example accept", "xn--mnchen-3ya.example: 1 accept"},
      {"a@[192.0.2.1] reject", "a@[192.0.2.1]: 1 reject"},
      {"[IPv6:2001:db8::1] accept", "[ipv6:2001:db8::1]: 1 accept"},
      {"b.example", ""},
      {"b.example refuse", ""},
      {"b.example accept now", ""},
      {"b.example reject 250 ok", ""},
      {"b.example reject \x01", ""},
      {"b.example reject " + std::string(500, 'x'), ""},
      {". accept", ""},
      {"@ accept", ""},
      {"a@.b.example accept", ""},
      {"b..example accept", ""},
      {"a@ accept", ""},
      {"*.b.example accept", ""},
      {"192.0.2.0/24 accept", ""},
      {"", ""},
  };
  for (const Case& c : cases) {
    CAPTURE(c.line.substr(0, 60));
    const Result<SenderException> exception = parse_exception_line(c.line);
    CHECK((exception ? exception->entry + ": " + exception_value(*exception, 1) : "") == c.value);
    if (!exception) CHECK(exception.failure().permanent());
  }
}

TEST_CASE("the default domain is the listener's, else everybody's, else there is none") {
  const ScratchHome scratch;
  const auto found = [](std::string_view listener) {
    const Result<std::optional<std::string>> domain = default_domain(listener);
    return !domain ? "failure: " + domain.failure().text : domain->value_or("none");
  };
  CHECK(found("Public") == "none");
  scratch.write("control/defaultdomain", "Example.org\n");
  CHECK(found("Public") == "example.org");
  scratch.write("control/defaultdomain.Public", "b\xc3\xbc.example\n");
  CHECK(found("Public") == "xn--b-eha.example");
  CHECK(found("Inside") == "example.org");
  CHECK(found("../defaultdomain.Public") == "example.org");
  CHECK(found("") == "example.org");
  scratch.write("control/defaultdomain.Public", "two words\n");
  CHECK(found("Public").find("control/defaultdomain.Public:1: \"two words\" is no domain") !=
        std::string::npos);
}
