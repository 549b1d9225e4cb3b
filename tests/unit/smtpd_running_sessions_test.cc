#include "smtpd/running_sessions.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>

#include <cstring>

using namespace postern::smtpd;

namespace {

std::string key(const char* text) {
  sockaddr_storage address{};
  if (std::strchr(text, ':') == nullptr) {
    sockaddr_in four{};
    four.sin_family = AF_INET;
    REQUIRE(::inet_pton(AF_INET, text, &four.sin_addr) == 1);
    std::memcpy(&address, &four, sizeof four);
  } else {
    sockaddr_in6 six{};
    six.sin6_family = AF_INET6;
    REQUIRE(::inet_pton(AF_INET6, text, &six.sin6_addr) == 1);
    std::memcpy(&address, &six, sizeof six);
  }
  return client_key(address);
}

}  // namespace

TEST_CASE("sessions are counted by IPv4 address and by IPv6 /64, those of loopback are not") {
  CHECK(key("192.0.2.1") == key("::ffff:192.0.2.1"));
  CHECK(key("192.0.2.1") != key("192.0.2.2"));
  CHECK(key("2001:db8:1:2::1") == key("2001:db8:1:2:ffff::9"));
  CHECK(key("2001:db8:1:2::1") != key("2001:db8:1:3::1"));
  CHECK(key("7f00::1") != "");
  for (const char* loopback : {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"})
    CHECK(key(loopback) == "");
}

TEST_CASE("a session that ends gives its place back, and one from before an exec is only counted") {
  RunningSessions running(2);
  running.started(10, "a");
  running.started(11, "a");
  running.started(12, "");
  CHECK(running.count() == 5);
  CHECK(running.of("a") == 2);
  CHECK(running.of("b") == 0);
  running.ended(10);
  running.ended(7);  // from before
  CHECK(running.count() == 3);
  CHECK(running.of("a") == 1);
  running.all_ended();
  CHECK(running.count() == 0);
  CHECK(running.of("a") == 0);
  running.ended(11);
  CHECK(running.count() == 0);
}
