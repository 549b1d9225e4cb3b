#include "smtpd/proxy_protocol.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/child.h"
#include "lib/fd.h"
#include "receipt/address_prefix.h"
#include "receipt/proxies.h"

using namespace postern;
using namespace postern::smtpd;

namespace {

const std::string kSignature("\r\n\r\n\0\r\nQUIT\n", 12);

std::string two_bytes(size_t number) {
  return {static_cast<char>(number >> 8), static_cast<char>(number & 255)};
}
std::string binary(unsigned char command, unsigned char family, const std::string& rest) {
  return kSignature + static_cast<char>(command) + static_cast<char>(family) + two_bytes(rest.size()) + rest;
}
const std::string kIpv4("\xc0\x00\x02\x01\xc6\x33\x64\x02\x9c\x40\x00\x19", 12);
const std::string kIpv6 = std::string("\x20\x01\x0d\xb8", 4) + std::string(11, '\0') + "\x01" +
                          std::string("\x20\x01\x0d\xb8", 4) + std::string(11, '\0') + "\x02" + "\x9c\x40" +
                          std::string("\x00\x19", 2);

// As it would be read from a stream: what was taken, and nothing behind it.
size_t taken(std::string_view stream) {
  std::string header;
  while (const size_t wanted = proxy_bytes_wanted(header)) {
    if (header.size() + wanted > stream.size()) return std::string::npos;
    header += stream.substr(header.size(), wanted);
  }
  return header.size();
}

std::string said(const std::optional<ProxyHeader>& header) {
  if (!header) return "wrong";
  if (!header->client) return "own";
  const ProxiedClient& client = *header->client;
  return client.remote_ip + " " + client.remote_port + " " + client.local_ip + " " + client.local_port;
}

}  // namespace

TEST_CASE("version 1") {
  const std::string longest =
      "PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 "
      "65535\r\n";
  CHECK(longest.size() == kProxyLineBytes);
  struct Row {
    std::string header, said;
  };
  const Row rows[] = {
      {"PROXY TCP4 192.0.2.1 198.51.100.2 40000 25\r\n", "192.0.2.1 40000 198.51.100.2 25"},
      {"PROXY TCP6 2001:DB8:0::1 2001:db8::2 40000 25\r\n", "2001:db8::1 40000 2001:db8::2 25"},
      {"PROXY TCP6 ::ffff:192.0.2.1 ::ffff:198.51.100.2 1 25\r\n", "192.0.2.1 1 198.51.100.2 25"},
      {"PROXY UNKNOWN\r\n", "own"},
      {longest, "own"},
      {"PROXY TCP4 192.0.2.1 198.51.100.2 40000\r\n", "wrong"},
      {"PROXY TCP4 192.0.2.1 198.51.100.2 40000 25 1\r\n", "wrong"},
      {"PROXY TCP4 192.0.2.1  198.51.100.2 40000 25\r\n", "wrong"},
      {"PROXY TCP4 2001:db8::1 2001:db8::2 40000 25\r\n", "wrong"},
      {"PROXY TCP4 192.0.2.256 198.51.100.2 40000 25\r\n", "wrong"},
      {"PROXY TCP4 192.0.2.1 198.51.100.2 65536 25\r\n", "wrong"},
      {"PROXY TCP4 192.0.2.1 198.51.100.2 040 25\r\n", "wrong"},
      {"PROXY TCP4 192.0.2.1 198.51.100.2 -1 25\r\n", "wrong"},
      {"PROXY TCP4 192.0.2.1 198.51.100.2 40000 25\n", "wrong"},
      {"PROXY TCP4 192.0.2.1\r198.51.100.2 40000 25\r\n", "wrong"},
      {"PROXY UDP4 192.0.2.1 198.51.100.2 40000 25\r\n", "wrong"},
      {"PROXY \r\nEHLO x\r\n", "wrong"},
      {"EHLO client.example\r\n", "wrong"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.header);
    const size_t length = taken(row.header + "EHLO behind\r\n");
    REQUIRE(length != std::string::npos);
    CHECK(said(parse_proxy_header((row.header + "EHLO behind\r\n").substr(0, length))) == row.said);
    if (row.said != "wrong") CHECK(length == row.header.size());
  }
  // One that does not end is given up at its longest.
  CHECK(taken("PROXY TCP4 " + std::string(1000, '1')) == kProxyLineBytes);
  CHECK(said(parse_proxy_header("")) == "wrong");
}

TEST_CASE("version 2") {
  struct Row {
    std::string header, said;
  };
  const Row rows[] = {
      {binary(0x21, 0x11, kIpv4), "192.0.2.1 40000 198.51.100.2 25"},
      {binary(0x21, 0x21, kIpv6), "2001:db8::1 40000 2001:db8::2 25"},
      {binary(0x21, 0x11,
              kIpv4 + std::string("\x04\x00\x03"
                                  "abc",
                                  6)),
       "192.0.2.1 40000 198.51.100.2 25"},
      {binary(0x21, 0x11, kIpv4 + std::string(5000, 'x')), "192.0.2.1 40000 198.51.100.2 25"},
      {binary(0x20, 0x00, ""), "own"},
      {binary(0x20, 0x11, kIpv4), "own"},
      {binary(0x21, 0x00, ""), "own"},
      {binary(0x21, 0x00, "anything"), "own"},
      {binary(0x21, 0x11, kIpv4.substr(1)), "wrong"},
      {binary(0x21, 0x21, kIpv4), "wrong"},
      {binary(0x21, 0x12, kIpv4), "wrong"},
      {binary(0x21, 0x31, std::string(216, 'u')), "wrong"},
      {binary(0x22, 0x11, kIpv4), "wrong"},
      {binary(0x11, 0x11, kIpv4), "wrong"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.said);
    CHECK(taken(row.header + "EHLO behind\r\n") == row.header.size());
    CHECK(said(parse_proxy_header(row.header)) == row.said);
    for (size_t cut = 0; cut < std::min<size_t>(row.header.size(), 60); ++cut)
      CHECK(taken(row.header.substr(0, cut)) == std::string::npos);
  }
}

TEST_CASE("what stands behind the header stays in the connection") {
  int ends[2] = {-1, -1};
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  const Fd near(ends[0]);
  Fd far(ends[1]);
  for (const std::string& header :
       {std::string("PROXY TCP4 192.0.2.1 198.51.100.2 40000 25\r\n"), binary(0x21, 0x21, kIpv6)}) {
    REQUIRE(write_all(far.get(), header + "EHLO x", "write").ok());
    const Result<ProxyHeader> got = read_proxy_header(near.get(), now_milliseconds() + 10000);
    REQUIRE(got.ok());
    CHECK(got->client.has_value());
    char rest[64];
    CHECK(std::string(rest, static_cast<size_t>(::read(near.get(), rest, sizeof rest))) == "EHLO x");
  }
  REQUIRE(write_all(far.get(), "PROXY TCP4", "write").ok());
  CHECK_FALSE(read_proxy_header(near.get(), now_milliseconds() + 20).ok());
  far.reset();
  CHECK_FALSE(read_proxy_header(near.get(), now_milliseconds() + 10000).ok());
}

TEST_CASE("the proxies that are believed") {
  const Result<Proxies> proxies = Proxies::parse(
      "# ours\n192.0.2.7 xclient\n192.0.2.0/25 proxy\n10.1.2.3/12 proxy xclient\n2001:db8::/33 proxy\n", "f");
  REQUIRE(proxies.ok());
  struct Row {
    const char* address;
    bool proxy, xclient;
  };
  const Row rows[] = {
      {"192.0.2.7", false, true},        {"192.0.2.127", true, false},      {"192.0.2.128", false, false},
      {"10.15.255.255", true, true},     {"10.16.0.0", false, false},       {"2001:db8:7fff::1", true, false},
      {"2001:db8:8000::", false, false}, {"::ffff:192.0.2.1", true, false}, {"", false, false},
      {"unknown", false, false}};
  for (const Row& row : rows) {
    CAPTURE(row.address);
    const Proxy* proxy = proxies->find(row.address);
    CHECK((proxy != nullptr && proxy->says_proxy) == row.proxy);
    CHECK((proxy != nullptr && proxy->says_xclient) == row.xclient);
  }
  for (const char* bad : {"192.0.2.7", "192.0.2.7 both", "proxy", "192.0.2.0/33 proxy", "0.0.0.0/0 proxy",
                          "::/0 proxy", "::ffff:0.0.0.0/96 proxy", "::/64 xclient",
                          "0.0.0.0-255.255.255.255 proxy", "2001:db8::/129 proxy", "192.0.2.7/ proxy"}) {
    CAPTURE(bad);
    const Result<Proxies> wrong = Proxies::parse(std::string("# c\n") + bad, "control/proxies");
    REQUIRE_FALSE(wrong.ok());
    CHECK(wrong.failure().text.starts_with("control/proxies:2: "));
  }
}
