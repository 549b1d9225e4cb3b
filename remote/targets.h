// From the next hop of a domain to the addresses that are tried, in order.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/destinations.h"
#include "lib/dns_answer.h"
#include "lib/result.h"
#include "remote/dane.h"
#include "remote/routes.h"
#include "remote/settings.h"
#include "remote/smtp_session.h"

namespace postern {

// Addresses of this host: those of its interfaces, with control/moreipme, without control/notipme.
std::vector<std::string> own_addresses(const RemoteSettings& settings);
// Whether a connection to the address ends at this host: one of `own`, the loopback networks or an
// unspecified address, also in the IPv4-mapped form; never one of control/notipme.
bool is_own_address(std::string_view address, const RemoteSettings& settings,
                    const std::vector<std::string>& own);

// The hosts of an answer to mx, without ourselves and everything that is not better than we are (RFC
// 5321 5.1); equal preferences in random order. Failures: permanent where the answer says so (no such domain,
// null MX, only ourselves), temporary where an address is not known for now.
Result<std::vector<Target>> targets_of_mx(const DnsAnswer& answer, const RemoteSettings& settings,
                                          const std::vector<std::string>& own);

// Asks DNS unless the next hop is an address.
Result<std::vector<Target>> find_targets(std::string_view domain, const Route& route,
                                         const RemoteSettings& settings);

// The levels for which DANE is asked at all.
constexpr bool asks_dane(TlsLevel level) {
  return level == TlsLevel::dane || level == TlsLevel::dane_only;
}

// What DANE says of the hosts of one delivery: asked just before a host is connected to, and once a host.
class DaneAnswers {
 public:
  explicit DaneAnswers(std::string dns_program) : dns_program_(std::move(dns_program)) {}
  const DaneResult& of(const Target& target);

 private:
  std::string dns_program_;
  std::map<std::pair<std::string, uint16_t>, DaneResult> known_;  // by host and port
};

}  // namespace postern
