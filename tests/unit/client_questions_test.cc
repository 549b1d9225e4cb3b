#include "receipt/client_questions.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "tests/unit/scratch.h"

using namespace postern;

TEST_CASE("a given name counts when it has the client's address, or when whoever gave it has seen to that") {
  const ScratchHome home;
  // What there is of mail.example is 192.0.2.1.
  const std::string dns =
      home.write("dns",
                 "#!/bin/sh\n"
                 "[ \"$*\" = 'ip mail.example' ] || exit 111\n"
                 "printf '%s\\n' 'answer ip mail.example found' "
                 "'rrset A mail.example mail.example insecure 60 found' 'data 192.0.2.1'\n");
  REQUIRE(::chmod(dns.c_str(), 0755) == 0);
  const auto host = [&](const char* ip, bool is_verified) {
    ClientQuestions questions(*parse_address(ip), "Mail.example", is_verified);
    questions.ask_dns_of(dns);
    return questions.host();
  };
  CHECK(host("192.0.2.1", false).state == HostName::State::verified);
  CHECK(host("192.0.2.1", false).names == std::vector<std::string>{"mail.example"});
  CHECK(host("192.0.2.2", false).state == HostName::State::differs);
  CHECK(host("192.0.2.2", true).state == HostName::State::verified);
}
