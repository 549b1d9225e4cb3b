#include "receipt/recipient.h"

#include <sys/stat.h>

#include <doctest/doctest.h>

#include <map>

#include "receipt/bounce_tag.h"
#include "receipt/compile_tables.h"
#include "tests/unit/scratch.h"

using namespace postern;

namespace {

// A home with tables, the programs that are asked, and what they were asked.
struct Receipt {
  ScratchHome home;
  RecipientContext context{.me = "mx.example.org", .default_domain = {}, .listener = "in", .relays = false};
  RecipientHooks hooks;
  std::map<std::string, Reply> answers;  // by "PROGRAM ARGUMENT…"; 0 without
  std::vector<std::string> asked;
  mutable size_t invalid = 0;  // verdicts that say so

  Receipt() {
    hooks.is_ours = [](std::string_view domain) { return Result<bool>(domain == "example.org"); };
    hooks.ask = [this](std::string_view program, const Request& request, int64_t) -> Result<Reply> {
      std::string question(program);
      for (const std::string& argument : request.arguments) question += " " + argument;
      asked.push_back(question);
      if (program == "@gone") return temporary("connect: nobody there");
      const auto found = answers.find(question);
      return found == answers.end() ? Reply{.exit_code = 0, .output = ""} : found->second;
    };
  }
  void table(const std::string& name, std::string_view text) const {
    home.write("control/" + name, text);
    std::vector<std::string> doubts;
    REQUIRE(compile_recipient_table(name, doubts).ok());
  }
  RecipientVerdict judge(std::string_view address, std::string_view sender = "s@client.example") const {
    Result<RecipientChecks> checks = RecipientChecks::open(context, hooks);
    REQUIRE(checks.ok());
    Result<RecipientVerdict> verdict = checks->judge(address, sender);
    REQUIRE(verdict.ok());
    if (verdict->is_no_recipient()) ++invalid;
    return *verdict;
  }
  // The reply, or the recipients.
  std::string outcome(std::string_view address) const {
    const RecipientVerdict verdict = judge(address);
    if (!verdict.passes()) return verdict.steps.back().reply.line();
    std::string text = verdict.dropped ? "dropped" : "";
    for (const std::string& one : verdict.recipients) text += (text.empty() ? "" : " ") + one;
    return text;
  }
};

std::string names(const RecipientVerdict& verdict) {
  std::string text;
  for (const Decision& step : verdict.steps) text += (text.empty() ? "" : " ") + step.step;
  return text;
}

}  // namespace

TEST_CASE("without tables a recipient of our domains is taken, as it always was") {
  const Receipt receipt;
  CHECK(receipt.outcome("a@example.org") == "a@example.org");
  CHECK(receipt.outcome("a@other.example").starts_with("550 5.7.1 relaying denied: that domain"));
  CHECK(receipt.outcome("a%b@example.org").starts_with("550 5.7.1 relaying denied: a route"));
  CHECK(receipt.outcome("Postmaster") == "Postmaster@mx.example.org");
  CHECK_FALSE(receipt.judge("postmaster").rewritten);
  CHECK(receipt.asked.empty());
  CHECK(receipt.invalid == 2);
}

TEST_CASE("the steps of a recipient stand in one order, up to the one that refuses") {
  Receipt receipt;
  receipt.home.write("control/recipientchecks", "DEFAULT users=on call_ahead=x\n");
  receipt.home.write("control/locals", "example.org\n");
  receipt.home.write("control/rcptcheck", "/bin/check\n");
  receipt.home.write("control/ldap", "");
  receipt.hooks.verify_bounce = [](std::string& address, std::string_view) {
    if (address.starts_with("prvs=")) address.erase(0, 5);
    return pass("bounce-verification");
  };
  receipt.context.default_domain = "example.org";
  const RecipientVerdict verdict = receipt.judge("prvs=a");
  CHECK(names(verdict) ==
        "default-domain bounce-verification domain-map recipient-table alias local-users recipient-program "
        "ldap call-ahead");
  CHECK(verdict.said == "prvs=a@example.org");
  CHECK(verdict.rewritten);
  CHECK(receipt.asked == std::vector<std::string>{"@userq exists a@example.org",
                                                  "/bin/check s@client.example a@example.org",
                                                  "@ldapq accept a@example.org s@client.example",
                                                  "@callahead check x a@example.org"});
  CHECK(names(receipt.judge("a@other.example")) == "bounce-verification domain-map recipient-table");
}

TEST_CASE("the domain map goes before the recipient table, and that before the aliases") {
  Receipt receipt;
  receipt.table("domainmap.in", "@old.example @new.example\n");
  receipt.table("rat", "new.example ACCEPT 250 2.1.5 welcome\n");
  receipt.table("aliases", "[new.example]\nsales: a@far.example, b@new.example\nnobody: /dev/null\n");
  const RecipientVerdict verdict = receipt.judge("Sales@old.example");
  REQUIRE(verdict.passes());
  CHECK(verdict.recipients == std::vector<std::string>{"a@far.example", "b@new.example"});
  CHECK(verdict.said == "Sales@old.example");
  CHECK(verdict.address == "Sales@new.example");
  CHECK(verdict.rewritten);
  CHECK(verdict.accepted->line() == "250 2.1.5 welcome");
  CHECK(verdict.steps[0].why == "control/domainmap.in line 1: Sales@old.example is Sales@new.example");
  CHECK(verdict.steps[1].why == "control/rat line 1");
  CHECK(receipt.outcome("x@new.example") == "x@new.example");
  CHECK(receipt.outcome("nobody@new.example") == "dropped");
  CHECK(receipt.outcome("a@example.org").starts_with("550 5.7.1 relaying denied"));
  receipt.context.relays = true;
  CHECK(receipt.outcome("a@far.example") == "a@far.example");
  CHECK(receipt.outcome("a@old.example") == "a@new.example");
}

TEST_CASE("userq is spared what is not delivered on this host") {
  Receipt receipt;
  receipt.home.write("control/recipientchecks", "DEFAULT users=on\n");
  const auto said_of_users = [&] {
    for (const Decision& step : receipt.judge("a@example.org").steps) {
      if (step.step == kUsersStep) return step.why;
    }
    return std::string("nothing");
  };
  CHECK(said_of_users() == "not known: its domain is not delivered to on this host");
  CHECK(receipt.asked.empty());
  SUBCASE("local") {
    receipt.home.write("control/locals", ".org\n");
  }
  SUBCASE("it may be virtual") {
    receipt.home.write("control/virtualdomains", "# none\nx.example:x\n");
  }
  SUBCASE("the lists cannot be read") {
    REQUIRE(::mkdir(receipt.home.path("control/locals").c_str(), 0755) == 0);
  }
  CHECK(said_of_users().empty());
  CHECK(receipt.asked == std::vector<std::string>{"@userq exists a@example.org"});
}

TEST_CASE("each question has its answers, and trouble ends as the step says") {
  Receipt receipt;
  receipt.home.write("control/locals", "example.org\n");
  receipt.home.write("control/recipientchecks", "DEFAULT users=on call_ahead=x\n");
  receipt.home.write("control/rcptcheck", "@check\n");
  const auto answer = [&](const std::string& question, int code, const std::string& output) {
    receipt.answers[question] = {.exit_code = code, .output = output};
    const std::string outcome = receipt.outcome("a@example.org");
    receipt.answers.clear();
    return outcome;
  };
  const std::string users = "@userq exists a@example.org";
  CHECK(answer(users, 100, "no user fits\n") == "550 5.1.1 no mailbox here by that name");
  CHECK(answer(users, 111, "") == "a@example.org");
  const std::string check = "@check s@client.example a@example.org";
  CHECK(answer(check, 100, "") == "550 5.1.1 no mailbox here by that name");
  CHECK(answer(check, 100, "553 5.7.0 not you\nmore") == "553 5.7.0 not you");
  CHECK(answer(check, 100, "450 not you") == "550 5.1.1 no mailbox here by that name");
  CHECK(answer(check, 111, "450 4.2.1 later") == "450 4.2.1 later");
  CHECK(answer(check, 5, "").starts_with("451 4.3.0 "));
  const std::string ahead = "@callahead check x a@example.org";
  CHECK(answer(ahead, 100, "550 5.1.1 <a> unknown\nsaid by y") == "550 5.1.1 <a> unknown");
  CHECK(answer(ahead, 111, "450 4.2.0 greylisted\nsaid by y") == "450 4.2.0 greylisted");
  CHECK(answer(ahead, 1, "").starts_with("451 4.3.0 "));
  CHECK(receipt.invalid == 5);  // those refused for good
}

TEST_CASE("a directory is asked where there is one, and what it says is the reply") {
  Receipt receipt;
  const std::string ldap = "@ldapq accept a@example.org s@client.example";
  receipt.answers[ldap] = {.exit_code = 1, .output = ""};
  CHECK(receipt.outcome("a@example.org") == "a@example.org");
  CHECK(receipt.asked.empty());
  receipt.home.write("control/ldap", "");
  CHECK(receipt.outcome("a@example.org") == "550 5.1.1 no mailbox here by that name");
  CHECK(receipt.asked == std::vector<std::string>{ldap});
  CHECK(receipt.invalid == 1);
  receipt.answers[ldap] = {.exit_code = 1, .output = "people (control/ldap line 3) finds no entry\n"};
  CHECK(receipt.judge("a@example.org").steps.back().why == "people (control/ldap line 3) finds no entry");
  receipt.home.write("control/recipientchecks", "in ldap=off\n");
  CHECK(receipt.outcome("a@example.org") == "a@example.org");
  receipt.home.write("control/recipientchecks", "in ldap_query=staff\n");
  receipt.answers[ldap + " staff"] = {.exit_code = 1, .output = ""};
  CHECK(receipt.outcome("a@example.org").starts_with("550 5.1.1 "));
  receipt.context.relays = true;
  CHECK(receipt.outcome("a@example.org") == "a@example.org");
}

TEST_CASE("a directory that cannot say it is no no, and who is refused then has tried out nothing") {
  Receipt receipt;
  receipt.home.write("control/ldap", "");
  const auto answer = [&](int code, const std::string& output) {
    receipt.answers["@ldapq accept a@example.org s@client.example"] = {.exit_code = code, .output = output};
    return receipt.outcome("a@example.org");
  };
  for (const int code : {2, 100, 111, 255}) {
    CAPTURE(code);
    CHECK(answer(code, "").starts_with("451 4.3.0 "));
  }
  CHECK(answer(100, "accept\tx\n").starts_with("451 4.3.0 "));
  CHECK(answer(111, "defer\tldap://a: no answer\n").starts_with("451 4.3.0 "));
  CHECK(receipt.judge("a@example.org").steps.back().why == "ldap://a: no answer");
  CHECK(answer(111, "accept\tldap://a: no answer\n") == "a@example.org");
  CHECK(answer(111, "acceptance\tx\n").starts_with("451 4.3.0 "));
  CHECK(answer(111, "450 4.4.3 later\tx\n") == "450 4.4.3 later");
  CHECK(answer(111, "550 not now\tx\n") == "550 5.4.3 not now");
  CHECK(answer(111, "250 yes\tx\n").starts_with("451 4.3.0 "));
  receipt.home.write("control/recipientchecks", "DEFAULT ldap_trouble=refuse\n");
  CHECK(answer(111, "accept\tx\n") == "550 5.4.3 unable to verify the recipient");
  receipt.home.write("control/recipientchecks", "DEFAULT ldap_trouble=accept\n");
  CHECK(answer(111, "defer\tx\n") == "a@example.org");
  receipt.home.write("control/recipientchecks", "DEFAULT ldap=@gone\n");
  CHECK(receipt.outcome("a@example.org").starts_with("451 4.3.0 "));
  receipt.home.write("control/recipientchecks", "DEFAULT ldap=@gone ldap_trouble=accept users=@gone\n");
  CHECK(receipt.outcome("a@example.org") == "a@example.org");
  CHECK(receipt.invalid == 0);
}

TEST_CASE("a refusal that says nothing of the recipient is known by its decision") {
  Receipt receipt;
  receipt.home.write("control/recipientchecks", "DEFAULT call_ahead=x\n");
  const std::string ahead = "@callahead check x a@example.org";
  receipt.answers[ahead] = {.exit_code = 100, .output = "550 5.1.1 gone\n"};
  CHECK_FALSE(receipt.judge("a@example.org").steps.back().unasked);
  CHECK_FALSE(receipt.judge("a@example.org").steps.back().relaying);
  receipt.invalid = 0;
  receipt.answers[ahead] = {.exit_code = 111, .output = "550 5.4.3 unable to verify\nis away\n"};
  CHECK(receipt.outcome("a@example.org") == "550 5.4.3 unable to verify");
  CHECK(receipt.judge("a@example.org").steps.back().unasked);
  CHECK(receipt.invalid == 0);
  CHECK(receipt.judge("a@far.example").steps.back().relaying);
  CHECK(receipt.invalid == 1);
  receipt.hooks.verify_bounce = [](std::string&, std::string_view) {
    return refuse(std::string(kBounceTagStep), {.code = "550", .status = "5.7.1", .text = "no"}, "no tag");
  };
  CHECK(receipt.outcome("a@example.org") == "550 5.7.1 no");
  CHECK(receipt.invalid == 1);
}

TEST_CASE("who is beyond a rate makes us ask nobody, but for who is spared the rates") {
  Receipt receipt;
  receipt.home.write("control/recipientchecks", "DEFAULT call_ahead=x\n");
  receipt.table("rat", "vip@example.org ACCEPT bypass=rates\nexample.org ACCEPT\n");
  receipt.hooks.rates = [](std::string_view) {
    return refuse("rates", {.code = "550", .status = "5.7.1", .text = "too many"});
  };
  CHECK(receipt.outcome("a@example.org") == "550 5.7.1 too many");
  CHECK(receipt.asked.empty());
  CHECK(receipt.invalid == 0);
  CHECK(receipt.outcome("vip@example.org") == "vip@example.org");
  CHECK(receipt.asked.size() == 1);
}

TEST_CASE("a resident that did not answer is not waited for again in the same connection") {
  Receipt receipt;
  receipt.home.write("control/recipientchecks", "DEFAULT users=@gone\n");
  Result<RecipientChecks> checks = RecipientChecks::open(receipt.context, receipt.hooks);
  REQUIRE(checks.ok());
  for (int i = 0; i < 3; ++i) CHECK(checks->judge("a@example.org", "")->passes());
  CHECK(receipt.asked.size() == 1);
}

TEST_CASE("an entry of the recipient table bypasses checks; mail of relay clients goes to no directory") {
  Receipt receipt;
  receipt.home.write("control/recipientchecks", "DEFAULT users=on ldap=on call_ahead=x\n");
  receipt.home.write("control/locals", "example.org\n");
  receipt.home.write("control/ldap", "");
  receipt.table("rat", "vip@example.org ACCEPT bypass=ldap,users,call-ahead\nexample.org ACCEPT\n");
  CHECK(receipt.judge("vip@example.org").steps.back().why == "bypassed");
  CHECK(receipt.asked.empty());
  (void)receipt.judge("a@example.org");
  CHECK(receipt.asked.size() == 3);
  receipt.asked.clear();
  receipt.context.relays = true;
  (void)receipt.judge("a@example.org");
  CHECK(receipt.asked == std::vector<std::string>{"@userq exists a@example.org"});
}

TEST_CASE("of an alias those that do not exist are left out, and all of it waits for one not known") {
  Receipt receipt;
  receipt.home.write("control/recipientchecks", "DEFAULT call_ahead=x\n");
  receipt.table("aliases", "[example.org]\nboth: a@example.org, b@example.org, c@far.example\n");
  CHECK(receipt.outcome("both@example.org") == "a@example.org b@example.org c@far.example");
  CHECK(receipt.asked.size() == 2);  // who is elsewhere is not asked about
  receipt.answers["@callahead check x a@example.org"] = {.exit_code = 100, .output = "550 5.1.1 gone\n"};
  CHECK(receipt.outcome("both@example.org") == "b@example.org c@far.example");
  receipt.answers["@callahead check x b@example.org"] = {.exit_code = 111, .output = "450 4.2.0 later\n"};
  CHECK(receipt.outcome("both@example.org") == "450 4.2.0 later");
  receipt.table("aliases", "[example.org]\nboth: a@example.org\n");
  CHECK(receipt.outcome("both@example.org") == "550 5.1.1 gone");
}

TEST_CASE("a compiled table that is broken or of another maker is a temporary failure") {
  Receipt receipt;
  REQUIRE(write_cdb(receipt.home.path("control/rat.cdb"), {{"@example.org", "x"}}).ok());
  Result<RecipientChecks> checks = RecipientChecks::open(receipt.context, receipt.hooks);
  REQUIRE(checks.ok());
  Result<RecipientVerdict> verdict = checks->judge("a@example.org", "");
  REQUIRE_FALSE(verdict.ok());
  CHECK(verdict.failure().status == "4.3.5");
  receipt.home.write("control/rat.cdb", "no database");
  CHECK_FALSE(RecipientChecks::open(receipt.context, receipt.hooks).ok());
}
