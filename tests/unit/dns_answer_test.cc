#include "lib/dns_answer.h"

#include <doctest/doctest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "dnsq/dns_file.h"
#include "dnsq/inquiry.h"
#include "dnsq/unbound_source.h"
#include "lib/child.h"
#include "lib/request.h"
#include "tests/unit/scratch.h"

using namespace postern;

namespace {

std::string asked(const std::vector<std::string>& words) {
  static constexpr std::string_view kFile =
      "two.test MX 20 b.test\ntwo.test MX 10 a.test\ntwo.test MX 30 a.test\na.test A 192.0.2.1\nb.test A "
      "SERVFAIL\n"
      "null.test MX 0 .\nplain.test A 192.0.2.3\nempty.test TXT x\nslow.test MX TIMEOUT\nforged.test MX "
      "BOGUS\n"
      "half.test A SERVFAIL\nhalf.test AAAA 2001:db8::2\nlost.test TXT x\nlost.test A SERVFAIL\n";
  const std::unique_ptr<DnsFile> file = std::move(*DnsFile::parse(kFile, "test"));
  Inquiry inquiry(*parse_dns_question(words), *file);
  inquiry.start();
  REQUIRE(inquiry.finished());
  const std::string text = answer_text(inquiry.answer());
  const Result<DnsAnswer> parsed = parse_dns_answer(text);
  REQUIRE(parsed.ok());
  CHECK(format_dns_answer(*parsed) == text);
  CHECK(answer_exit_code(inquiry.answer()) == (is_temporary(inquiry.answer().outcome) ? 111 : 0));
  return text;
}

std::string outcome_of(const std::vector<std::string>& words) {
  const std::string text = asked(words);
  return text.substr(0, text.find('\n'));
}

}  // namespace

TEST_CASE("an mx answer is whole: hosts by preference, each once, with its addresses") {
  CHECK(asked({"mx", "Two.TEST"}) ==
        "answer mx two.test found\n"
        "rrset MX two.test two.test insecure 3600 found\n"
        "data 20 b.test\ndata 10 a.test\ndata 30 a.test\n"
        "host 10 a.test\n"
        "rrset A a.test a.test insecure 3600 found\ndata 192.0.2.1\n"
        "rrset AAAA a.test a.test insecure 3600 nodata\n"
        "host 20 b.test\n"
        "rrset A b.test b.test failed 0 failed\nwhy SERVFAIL\n"
        "rrset AAAA b.test b.test insecure 3600 nodata\n");
}

TEST_CASE("a failed lookup is never an answer about the name") {
  struct Row {
    std::vector<std::string> words;
    std::string expected;
  };
  const std::vector<Row> rows = {
      {{"mx", "null.test"}, "answer mx null.test null"},
      {{"mx", "plain.test"}, "answer mx plain.test implicit"},
      {{"mx", "empty.test"}, "answer mx empty.test nodata"},
      {{"mx", "none.test"}, "answer mx none.test nxdomain"},
      {{"mx", "slow.test"}, "answer mx slow.test failed"},
      {{"mx", "forged.test"}, "answer mx forged.test bogus"},
      {{"mx", "lost.test"}, "answer mx lost.test failed"},
      {{"mx", "half.test"}, "answer mx half.test implicit"},
      {{"ip", "half.test"}, "answer ip half.test found"},
      {{"ip", "lost.test"}, "answer ip lost.test failed"},
      {{"ip", "none.test"}, "answer ip none.test nxdomain"},
      {{"txt", "empty.test"}, "answer txt empty.test found"},
      {{"any", "txt", "empty.test"}, "answer any empty.test found"},
      {{"ptr", "192.0.2.1"}, "answer ptr 1.2.0.192.in-addr.arpa nxdomain"},
      {{"ptr", "plain.test"}, "answer ptr \"plain.test\" invalid"},
      {{"mx", "a b\n."}, "answer mx \"a_b\\010.\" invalid"},
      {{"mx", ""}, "answer mx \"\" invalid"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.words.back());
    CHECK(outcome_of(row.words) == row.expected);
  }
}

TEST_CASE("what is no question is refused") {
  const std::vector<std::vector<std::string>> rows = {
      {}, {"mx"}, {"mx", "a", "b"}, {"any", "a"}, {"any", "nope", "a"}, {"foo", "a"}, {"", ""}};
  for (const auto& words : rows) {
    const Result<DnsQuestion> question = parse_dns_question(words);
    CHECK(!question.ok());
  }
}

TEST_CASE("half an answer is none") {
  const std::vector<std::string> rows = {
      "",
      "answer mx a found",
      "answer mx a\n",
      "answer mx  found\n",
      "answer mx a great\n",
      "rrset A a a secure 1 found\n",
      "answer ip a found\nrrset A a a secure 1\n",
      "answer ip a found\nrrset A a a secure x found\n",
      "answer ip a found\nrrset A a a secure 4294967296 found\n",
      "answer ip a found\nrrset A a a safe 1 found\n",
      "answer ip a found\ndata x\n",
      "answer ip a found\nrrset A a a secure 1 nodata\ndata x\n",
      "answer ip a found\nrrset A a a secure 1 found\ndata \n",
      "answer ip a found\nhost 1 a\n",
      "answer mx a found\nhost 65536 a\n",
      "answer mx a found\nhost 1\n",
      "answer ip a found\n\n",
      "answer ip a found\nsomething else\n",
      std::string("answer ip a found\n\0\n", 20),
  };
  for (const std::string& text : rows) {
    CAPTURE(text);
    CHECK(!parse_dns_answer(text).ok());
  }
}

TEST_CASE("a reason cannot forge a line") {
  DnsAnswer answer;
  answer.question = "ip";
  answer.name = "a";
  answer.rrsets.push_back(
      {"A", "a", "a", DnsSecurity::failed, 0, DnsOutcome::failed, {}, "x\nanswer ip a found"});
  const Result<DnsAnswer> parsed = parse_dns_answer(format_dns_answer(answer));
  REQUIRE(parsed.ok());
  CHECK(parsed->outcome == DnsOutcome::failed);
}

TEST_CASE("a resolver is an address with or without a port") {
  CHECK(forward_address("127.0.0.1:5353") == "127.0.0.1@5353");
  CHECK(forward_address("127.0.0.1") == "127.0.0.1@53");
  CHECK(forward_address("[::1]:5353") == "::1@5353");
  CHECK(forward_address("::1") == "::1@53");
  for (const std::string text :
       {"", "example.org", "1.2.3.4:", "1.2.3.4:0", "1.2.3.4:65536", "[::1", "[::1]x", "[]:1"}) {
    CAPTURE(text);
    CHECK(!forward_address(text));
  }
}

namespace {

// In a child: on each connection to run/dnsq two questions are answered, then it is closed. The name that is
// answered about says which connection and which question it was.
pid_t serve_two_questions(const std::string& path) {
  const Fd listening{::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)};
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  REQUIRE(::bind(listening.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::listen(listening.get(), 8) == 0);
  const pid_t child = ::fork();
  if (child != 0) return child;
  for (int connection = 1;; ++connection) {
    const Fd client{::accept(listening.get(), nullptr, nullptr)};
    for (int question = 1; question <= 2; ++question) {
      if (!receive_request(client.get())) break;
      DnsAnswer answer;
      answer.question = "txt";
      answer.name = "c" + std::to_string(connection) + "q" + std::to_string(question) + ".test";
      answer.outcome = DnsOutcome::nodata;
      (void)send_reply(client.get(), {.exit_code = 0, .output = format_dns_answer(answer)});
    }
  }
}

}  // namespace

TEST_CASE("several questions share a connection, and a closed one is made anew") {
  const ScratchHome home;
  const pid_t server = serve_two_questions(home.path("run/dnsq"));
  REQUIRE(server > 0);
  const AskDns ask = dns_asker("@dnsq", now_milliseconds() + 20000);
  for (const char* expected : {"c1q1.test", "c1q2.test", "c2q1.test", "c2q2.test", "c3q1.test"}) {
    const Result<DnsAnswer> answer = ask({"txt", "a.test"});
    REQUIRE(answer.ok());
    CHECK(answer->name == expected);
  }
  // After the deadline nobody is asked: the server's next connection is still to come.
  CHECK_FALSE(dns_asker("@dnsq", now_milliseconds())({"txt", "a.test"}).ok());
  for (const char* expected : {"c3q2.test", "c4q1.test"}) CHECK(ask({"txt", "a.test"})->name == expected);
  ::kill(server, SIGKILL);
  ::waitpid(server, nullptr, 0);
  const AskDns late = dns_asker("@dnsq", now_milliseconds() - 1);
  CHECK_FALSE(late({"txt", "a.test"}).ok());
}
