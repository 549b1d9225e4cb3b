// What DANE (RFC 7672) says of one mail host.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lib/dns_answer.h"
#include "remote/tls_demand.h"

namespace postern {

struct DaneResult {
  enum class Outcome {
    not_applicable,  // the chain to it is insecure
    usable,          // authenticate by `tlsa`
    unusable,        // TLS is needed, its certificate is not looked at
    absent,          // securely so
    failed           // skip this host, and defer when none is left
  };
  Outcome outcome = Outcome::not_applicable;
  std::vector<Tlsa> tlsa;
  std::vector<std::string> names;
  std::string why;
};

DaneResult look_up_dane(const std::string& dns_program, const DnsAnswer& mx_answer, const DnsHost& host,
                        uint16_t port, int64_t deadline);

}  // namespace postern
