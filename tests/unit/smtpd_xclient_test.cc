#include "smtpd/xclient.h"

#include <doctest/doctest.h>

using namespace postern::smtpd;

TEST_CASE("XCLIENT's attributes") {
  const std::optional<XclientRequest> all = parse_xclient(
      "name=Mail.Client.example ADDR=192.0.2.1 PORT=40000 PROTO=esmtp HELO=client.example LOGIN=joe+2Bx+40y "
      "DESTADDR=IPV6:2001:DB8::2 DESTPORT=25");
  REQUIRE(all.has_value());
  CHECK(all->name == "mail.client.example");
  CHECK(all->address == "192.0.2.1");
  CHECK(all->port == "40000");
  CHECK(all->protocol == "ESMTP");
  CHECK(all->helo == "client.example");
  CHECK(all->login == "joe+x@y");
  CHECK(all->local_address == "2001:db8::2");
  CHECK(all->local_port == "25");
  const std::optional<XclientRequest> some =
      parse_xclient("NAME=[UNAVAILABLE] ADDR=IPV6:2001:db8::1 LOGIN=[tempunavail]");
  REQUIRE(some.has_value());
  CHECK(some->name == "");
  CHECK(some->login == "");
  CHECK(some->address == "2001:db8::1");
  CHECK_FALSE(some->helo.has_value());
}

TEST_CASE("what is half understood is not believed") {
  const std::string rows[] = {"",
                              "ADDR",
                              "ADDR=",
                              "=192.0.2.1",
                              "ADDR=192.0.2.1 ADDR=192.0.2.2",
                              "ADDR=192.0.2.1 WHAT=x",
                              "ADDR=192.0.2.256",
                              "ADDR=[UNAVAILABLE]",
                              "ADDR=2001:db8::1%eth0",
                              "NAME=a+0Ab",
                              "NAME=a+20b",
                              "PORT=65536",
                              "PORT=x",
                              "PROTO=LMTP",
                              "HELO=a+0D+0Ab",
                              "HELO=a+28b",
                              "LOGIN=a+00b",
                              "LOGIN=a+0Ab",
                              "LOGIN=" + std::string(300, 'a')};
  for (const std::string& row : rows) {
    CAPTURE(row);
    CHECK_FALSE(parse_xclient(row).has_value());
  }
}
