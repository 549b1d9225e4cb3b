#include "lib/tls_facts.h"

#include <doctest/doctest.h>

using namespace postern;

TEST_CASE("what a handshake was like comes through whole") {
  const TlsFacts facts{.protocol = "TLSv1.2",
                       .cipher = "ECDHE-RSA-AES128-GCM-SHA256",
                       .bits = 128,
                       .resumed = true,
                       .server_name = "mx.example.org",
                       .peer_subject = "CN=a\nb,O=\xc3\xa9",
                       .peer_fingerprint = std::string(64, 'f'),
                       .peer_verified = true};
  const Result<TlsFacts> again = parse_tls_facts(serialise_tls_facts(facts));
  REQUIRE(again.ok());
  CHECK(again->protocol == facts.protocol);
  CHECK(again->cipher == facts.cipher);
  CHECK(again->bits == 128);
  CHECK(again->resumed);
  CHECK(again->server_name == facts.server_name);
  CHECK(again->peer_subject == facts.peer_subject);
  CHECK(again->peer_fingerprint == facts.peer_fingerprint);
  CHECK(again->peer_verified);
  CHECK(serialise_tls_facts({}).empty());
  CHECK(parse_tls_facts("").ok());
}

TEST_CASE("what could not stand in a log line is left out by the one and refused by the other") {
  TlsFacts facts{.protocol = "TLS v1", .cipher = "", .bits = 0, .resumed = false, .server_name = "a b"};
  CHECK(serialise_tls_facts(facts).empty());
  facts.server_name = std::string(256, 'a');
  facts.peer_subject = std::string("a\0b", 3);
  facts.peer_fingerprint = "abc";
  CHECK(serialise_tls_facts(facts) == std::string("sa?b\0", 5));
  using namespace std::string_literals;
  for (const std::string& bytes :
       {"v"s, "v\0"s, "vTLS 1\0"s, "vTLSv1.3"s, "x1\0"s, "\0"s, "b12x\0"s, "b100001\0"s, "r0\0"s, "r\0"s,
        "ybad\0"s, "fabc\0"s, "s\0"s, "n" + std::string(256, 'a') + "\0"s,
        "s" + std::string(1025, 'a') + "\0"s, "cA\nB\0"s}) {
    CAPTURE(bytes);
    CHECK(!parse_tls_facts(bytes).ok());
  }
}
