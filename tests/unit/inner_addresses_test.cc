#include "lib/inner_addresses.h"

#include <doctest/doctest.h>

using namespace postern;

TEST_CASE("addresses that no stranger may lead us to") {
  for (const char* inner : {"0.0.0.0",
                            "0.1.2.3",
                            "10.1.2.3",
                            "100.64.0.1",
                            "100.127.255.255",
                            "127.0.0.1",
                            "127.255.255.255",
                            "169.254.169.254",
                            "172.16.0.1",
                            "172.31.255.255",
                            "192.168.1.1",
                            "198.19.0.1",
                            "224.0.0.1",
                            "255.255.255.255",
                            "::",
                            "::1",
                            "::127.0.0.1",
                            "::ffff:127.0.0.1",
                            "::ffff:10.0.0.1",
                            "::ffff:0.0.0.0",
                            "64:ff9b::10.0.0.1",
                            "2002:7f00:1::1",
                            "2002:c0a8:101::",
                            "fc00::1",
                            "fd12::1",
                            "fe80::1",
                            "febf::1",
                            "fec0::1",
                            "ff02::1"}) {
    CAPTURE(inner);
    const std::optional<AnyAddress> address = parse_any_address(inner);
    REQUIRE(address.has_value());
    CHECK(is_inner_address(*address));
  }
  for (const char* outer :
       {"1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.1.1.1", "128.0.0.1",
        "172.15.255.255", "172.32.0.0", "192.0.2.1", "192.167.1.1", "198.20.0.1", "223.255.255.255",
        "::ffff:192.0.2.1", "64:ff9b::192.0.2.1", "2002:c000:201::1", "2001:db8::1", "2606:4700::1111",
        "fbff::1"}) {
    CAPTURE(outer);
    const std::optional<AnyAddress> address = parse_any_address(outer);
    REQUIRE(address.has_value());
    CHECK_FALSE(is_inner_address(*address));
  }
  CHECK_FALSE(parse_any_address("127.1").has_value());
  CHECK_FALSE(parse_any_address("").has_value());
}

TEST_CASE("networks contain their addresses, an IPv4 one also in its mapped form") {
  const Result<Networks> networks =
      Networks::parse({"127.0.0.2", "10.1.0.0/16", "fd00::/8", "2001:db8::1"}, "control/x");
  REQUIRE(networks.ok());
  const auto contain = [&](const char* address) { return networks->contain(*parse_any_address(address)); };
  CHECK(contain("127.0.0.2"));
  CHECK(contain("::ffff:127.0.0.2"));
  CHECK_FALSE(contain("127.0.0.1"));
  CHECK(contain("10.1.255.1"));
  CHECK_FALSE(contain("10.2.0.0"));
  CHECK(contain("fdff::1"));
  CHECK_FALSE(contain("fe00::1"));
  CHECK(contain("2001:db8::1"));
  CHECK_FALSE(contain("2001:db8::2"));
  for (const char* bad : {"", "x", "10.0.0.0/33", "fd00::/129", "10.0.0.0/", "10.0.0.0/-1", "10.0.0/8"}) {
    CAPTURE(bad);
    CHECK_FALSE(Networks::parse({bad}, "control/x").ok());
  }
}
