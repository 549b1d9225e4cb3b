#include "receipt/access_table.h"

#include <doctest/doctest.h>
#include <stdlib.h>

#include "scratch.h"

using namespace postern;

namespace {

AccessTable table(std::string_view text, AccessList list = AccessList::sender) {
  Result<AccessTable> made = AccessTable::parse(text, "control/badmailfrom", list);
  REQUIRE_MESSAGE(made.ok(), made.failure().text);
  return std::move(*made);
}

// The line that decided, negative where it exempts; 0: none.
int line(const AccessTable& of, std::string_view value) {
  const AccessVerdict verdict = of.judge(value);
  return static_cast<int>(verdict.line) * (verdict.welcome ? -1 : 1);
}

}  // namespace

TEST_CASE("plain entries of senders") {
  const AccessTable list = table(
      "# comment\nSpam@Bad.example\n\n@worse.example\n@.worst.example\nuser+detail@plus.example\n"
      "@b\xc3\xbc"
      "cher.example\n");
  CHECK(line(list, "spam@bad.EXAMPLE") == 2);
  CHECK(line(list, "x@worse.example") == 4);
  CHECK(line(list, "x@a.worst.example") == 5);
  CHECK(line(list, "x@b.a.WORST.example") == 5);
  CHECK(line(list, "user+detail@plus.example") == 6);
  CHECK(line(list, "a@xn--bcher-kva.example") == 7);
  for (const char* sender : {"ham@bad.example", "x@a.worse.example", "x@worst.example", "x@notworst.example",
                             "\"x@worse.example\"@good.example", "userrdetail@plus.example", "postmaster"}) {
    CAPTURE(sender);
    CHECK(line(list, sender) == 0);
  }
}

TEST_CASE("expressions are found anywhere, in any letter case, and exemptions win wherever they stand") {
  const AccessTable list =
      table("!friend@spam.example\n.*@spam\\.example$\n^[0-9]+@\noffers?@\n!\\.gov$\n.+@plus-only.example\n");
  CHECK(line(list, "x@SPAM.example") == 2);
  CHECK(line(list, "Friend@spam.example") == -1);
  CHECK(line(list, "x@spam.example.org") == 0);
  CHECK(line(list, "12345@good.example") == 3);
  CHECK(line(list, "a12345@good.example") == 0);
  CHECK(line(list, "big-offer@good.example") == 4);
  CHECK(line(list, "offers@agency.gov") == -5);
  CHECK(line(list, "x@plus-only.example") == 6);
  CHECK(list.judge("x@spam.example").text == ".*@spam\\.example$");
}

TEST_CASE("of many expressions the first in the file decides, and their memory is bounded") {
  std::string text = "!^friend@\n";
  for (int i = 0; i < 3000; ++i) text += "^x" + std::to_string(i) + "[0-9]*@.*\\.example$\n";
  const AccessTable list = table(text);
  CHECK(line(list, "x2999@a.example") == 4);  // ^x2[0-9]* stands before ^x2999
  CHECK(line(list, "x31@a.example") == 5);
  CHECK(line(list, "y31@a.example") == 0);
  CHECK(line(list, "FRIEND@a.example") == -1);
  std::string large;
  for (int i = 0; i < 3000; ++i) large += "^(x" + std::to_string(i) + "abcdefghijklmnopqrstuvwxyz){30}@\n";
  const Result<AccessTable> none = AccessTable::parse(large, "control/badmailfrom", AccessList::sender);
  REQUIRE_FALSE(none.ok());
  CHECK(none.failure().text.find("need more memory than 32 MiB: write") != std::string::npos);
}

TEST_CASE("names of hosts") {
  const AccessTable list =
      table("localhost\n.dyn.example\n[192.0.2.1]\n[IPv6:2001:db8::1]\n!good.dyn.example\n^[^.]+$\n",
            AccessList::helo);
  CHECK(line(list, "LOCALHOST") == 1);
  CHECK(line(list, "a.b.dyn.example") == 2);
  CHECK(line(list, "dyn.example") == 0);
  CHECK(line(list, "good.dyn.example") == -5);
  CHECK(line(list, "[192.0.2.1]") == 3);
  CHECK(line(list, "[ipv6:2001:DB8::1]") == 4);
  CHECK(line(list, "[192.0.2.11]") == 0);
  CHECK(line(list, "friend") == 6);
  CHECK(line(list, "mail.example") == 0);
}

TEST_CASE("what is wrong is named by file and line, with the remedy") {
  struct Row {
    const char *text, *problem;
  };
  const Row rows[] = {
      {"a@b\nnobody\n", "control/badmailfrom:2: \"nobody\" has no @; write"},
      {"(a@b\n", "control/badmailfrom:1: \"(a@b\" is no regular expression: "},
      {"*@spam.example\n", "any address of a domain is @domain"},
      {"(.)\\1@x\n", ":1: "},
      {"a@b c@d\n", "has a space in it"},
      {"!\n", "exempts nothing"},
      {"a{1000}{1000}@\n", "is no regular expression"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const Result<AccessTable> made = AccessTable::parse(row.text, "control/badmailfrom", AccessList::sender);
    REQUIRE_FALSE(made.ok());
    CHECK_FALSE(made.failure().permanent());
    CHECK(made.failure().text.find(row.problem) != std::string::npos);
  }
  CHECK_FALSE(AccessTable::parse(std::string(2000, '.') + "+", "f", AccessList::sender).ok());
  std::string many;
  for (size_t i = 0; i <= kAccessExpressions; ++i) many += "^a\n";
  CHECK_FALSE(AccessTable::parse(many, "f", AccessList::sender).ok());
}

TEST_CASE("a list of exemptions alone refuses nobody, and knows it") {
  CHECK(table("!\\.\n", AccessList::helo).refuses_nobody());
  CHECK_FALSE(table("!\\.\nlocalhost\n", AccessList::helo).refuses_nobody());
  CHECK_FALSE(table("# none\n").refuses_nobody());
}

TEST_CASE("time is linear in the address") {
  const AccessTable list = table("^(a+)+$\n(x|xx)*y\n");
  const std::string hostile = std::string(500, 'a') + "!" + std::string(500, 'x');
  CHECK(line(list, hostile) == 0);
}

TEST_CASE("nobody is asked without the file, nor about the null reverse-path; who is away refuses for now") {
  const ScratchHome home;
  int asked = 0;
  Result<Reply> answer = temporary("nobody is there");
  const AskProgram ask = [&](std::string_view program, const Request& request, int64_t) {
    ++asked;
    CHECK(program == "@access");
    CHECK(request.arguments == std::vector<std::string>{"rcpt", "a@b"});
    return answer;
  };
  CHECK(check_access(AccessList::recipient, "a@b", ask).passes());
  home.write("control/badrcptto", "");
  CHECK(check_access(AccessList::sender, "a@b", ask).passes());
  CHECK(check_access(AccessList::recipient, "", ask).passes());
  CHECK(asked == 0);
  CHECK(check_access(AccessList::recipient, "a@b", ask).reply.code == "451");
  CHECK(asked == 1);
  struct Row {
    int exit_code;
    const char *output, *code;
  };
  const Row rows[] = {{0, "", ""},
                      {0, "control/badrcptto:1: !a@b\n", ""},
                      {1, "control/badrcptto:1: a@b\n", "550"},
                      {1, "", "451"},
                      {100, "", "451"},
                      {111, "", "451"}};
  for (const Row& row : rows) {
    CAPTURE(row.exit_code);
    answer = Reply{.exit_code = row.exit_code, .output = row.output};
    const Decision decision = check_access(AccessList::recipient, "a@b", ask);
    CHECK(decision.reply.code == row.code);
    if (row.exit_code == 1 && decision.reply.code == "550") CHECK(decision.why == "control/badrcptto:1: a@b");
  }
}
