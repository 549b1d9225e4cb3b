#include "remote/targets.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdlib.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <memory>

#include "lib/child.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr int64_t kDnsDeadlineMilliseconds = 60000;
constexpr size_t kTargetLimit = 20;  // addresses tried in one delivery

Failure dns_failure(const DnsAnswer& answer, std::string_view name) {
  const std::string domain = printable(name, 255);
  switch (answer.outcome) {
    case DnsOutcome::invalid:
      return permanent(domain + " is not a domain name", 0, "5.1.2");
    case DnsOutcome::nxdomain:
      return permanent(domain + " does not exist", 0, "5.1.2");
    case DnsOutcome::nodata:
      return permanent(domain + " has neither an MX record nor an address", 0, "5.1.2");
    case DnsOutcome::null_mx:
      return permanent(domain + " accepts no mail (null MX)", 0, "5.1.10");
    default:
      return temporary("look up " + domain, 0, "4.4.3");
  }
}

std::string text_of(const sockaddr* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address != nullptr && address->sa_family == AF_INET) {
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(address)->sin_addr, text.data(), text.size());
  } else if (address != nullptr && address->sa_family == AF_INET6) {
    ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr, text.data(),
                text.size());
  }
  return text.data();
}

// The address in one form, an IPv4-mapped one as the IPv4 address that it stands for; what is no address
// stays.
std::string plain_address(std::string_view address) {
  const std::string text(address);
  std::array<char, INET6_ADDRSTRLEN> plain{};
  in_addr v4{};
  in6_addr v6{};
  if (::inet_pton(AF_INET, text.c_str(), &v4) == 1) return text;
  if (::inet_pton(AF_INET6, text.c_str(), &v6) != 1) return text;
  if (IN6_IS_ADDR_V4MAPPED(&v6)) {
    ::inet_ntop(AF_INET, &v6.s6_addr[12], plain.data(), plain.size());
  } else {
    ::inet_ntop(AF_INET6, &v6, plain.data(), plain.size());
  }
  return plain.data();
}

bool is_listed(const std::vector<std::string>& list, const std::string& plain) {
  return std::any_of(list.begin(), list.end(),
                     [&](const std::string& entry) { return plain_address(entry) == plain; });
}

// By name, also where the name leads to by CNAMEs, or by address.
bool is_ourselves(const DnsHost& host, const RemoteSettings& settings, const std::vector<std::string>& own) {
  const auto is_me = [&](std::string_view name) { return equal_ignoring_case(name, settings.me); };
  if (is_me(host.name)) return true;
  const auto leads_to_me = [&](const DnsRrset& rrset) { return is_me(rrset.canonical); };
  if (std::any_of(host.addresses.begin(), host.addresses.end(), leads_to_me)) return true;
  const std::vector<std::string> addresses = host_addresses(host);
  return std::any_of(addresses.begin(), addresses.end(),
                     [&](const std::string& a) { return is_own_address(a, settings, own); });
}

// The addresses of a host in the order of control/ipfamilies, without a family that is not in it.
std::vector<std::string> usable_addresses(const DnsHost& host, const RemoteSettings& settings) {
  const std::vector<std::string> all = host_addresses(host);
  std::vector<std::string> chosen;
  for (const IpFamily family : settings.families) {
    const auto fits = [&](const std::string& address) {
      return (address.find(':') != std::string::npos) == (family == IpFamily::v6);
    };
    std::copy_if(all.begin(), all.end(), std::back_inserter(chosen), fits);
  }
  return chosen;
}

Target target_at(const std::string& host, const std::string& address, uint16_t port, DaneLead lead) {
  return {.host = host,
          .address = address,
          .port = port,
          .dane = std::move(lead),
          .lmtp = false,
          .source = {},
          .hello = {}};
}

// Random, so that equal hosts get equal shares (RFC 5321 5.1).
template <typename Iterator>
void shuffle_range(Iterator first, Iterator last) {
  for (auto left = last - first; left > 1; --left) {
    std::iter_swap(first + (left - 1),
                   first + static_cast<std::ptrdiff_t>(::arc4random_uniform(static_cast<uint32_t>(left))));
  }
}

void shuffle_equals(std::vector<DnsHost>& hosts) {
  for (auto first = hosts.begin(); first != hosts.end();) {
    const auto last =
        std::find_if(first, hosts.end(), [&](const DnsHost& h) { return h.preference != first->preference; });
    shuffle_range(first, last);
    first = last;
  }
}

}  // namespace

std::vector<std::string> own_addresses(const RemoteSettings& settings) {
  std::vector<std::string> own;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) == 0) {
    const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owned(list, ::freeifaddrs);
    for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
      if (std::string text = text_of(entry->ifa_addr); !text.empty()) own.push_back(std::move(text));
    }
  }
  own.insert(own.end(), settings.more_own_addresses.begin(), settings.more_own_addresses.end());
  std::erase_if(own, [&](const std::string& address) {
    return is_listed(settings.not_own_addresses, plain_address(address));
  });
  return own;
}

bool is_own_address(std::string_view address, const RemoteSettings& settings,
                    const std::vector<std::string>& own) {
  const std::string plain = plain_address(address);
  if (is_listed(settings.not_own_addresses, plain)) return false;
  in_addr v4{};
  if (::inet_pton(AF_INET, plain.c_str(), &v4) == 1) {
    // 127.0.0.0/8 is loopback whatever the interface says, and 0.0.0.0/8 ends there too.
    const uint32_t network = ntohl(v4.s_addr) >> 24;
    if (network == 127 || network == 0) return true;
  }
  return plain == "::" || plain == "::1" || is_listed(own, plain);
}

Result<std::vector<Target>> targets_of_mx(const DnsAnswer& answer, const RemoteSettings& settings,
                                          const std::vector<std::string>& own) {
  if (answer.outcome != DnsOutcome::found && answer.outcome != DnsOutcome::implicit) {
    return dns_failure(answer, answer.name);
  }
  std::vector<DnsHost> hosts = answer.hosts;
  const auto ourselves = std::find_if(hosts.begin(), hosts.end(),
                                      [&](const DnsHost& h) { return is_ourselves(h, settings, own); });
  if (ourselves != hosts.end()) {
    const unsigned preference = ourselves->preference;
    std::erase_if(hosts, [&](const DnsHost& h) { return h.preference >= preference; });
    if (hosts.empty()) {
      return permanent("mail for " + printable(answer.name, 255) + " loops back to this host", 0, "5.4.6");
    }
  }
  shuffle_equals(hosts);
  std::vector<Target> targets;
  bool unknown = false;
  bool any = false;
  for (const DnsHost& host : hosts) {
    unknown = unknown || lookup_failed(host);
    any = any || !host_addresses(host).empty();
    for (const std::string& address : usable_addresses(host, settings)) {
      if (targets.size() < kTargetLimit)
        targets.push_back(target_at(host.name, address, settings.port, dane_lead(answer, host)));
    }
  }
  if (!targets.empty()) return targets;
  const std::string domain = printable(answer.name, 255);
  if (unknown) return temporary("look up the mail hosts of " + domain + ": no answer", 0, "4.4.3");
  if (any)
    return temporary("no mail host of " + domain + " has an address of control/ipfamilies", 0, "4.4.4");
  return permanent("no mail host of " + domain + " has an address", 0, "5.4.4");
}

Result<std::vector<Target>> find_targets(std::string_view domain, const NextHop& hop,
                                         const RemoteSettings& settings) {
  const uint16_t port = hop.port != 0 ? hop.port : settings.port;
  const std::string literal = address_literal(hop.host.empty() ? domain : hop.host);
  if (!literal.empty()) {
    // A route is the operator's word: it may lead to another server on this host.
    if (hop.host.empty() && is_own_address(literal, settings, own_addresses(settings))) {
      return permanent("mail for " + printable(domain, 255) + " loops back to this host", 0, "5.4.6");
    }
    return std::vector<Target>{target_at(literal, literal, port, {})};
  }
  const int64_t deadline = now_milliseconds() + settings.dns_milliseconds;
  if (hop.host.empty()) {
    Result<DnsAnswer> answer = ask_mx(settings.dns_program, domain, deadline);
    if (!answer) return answer.failure();
    RemoteSettings with_port = settings;
    with_port.port = port;
    return targets_of_mx(*answer, with_port, own_addresses(settings));
  }
  // A host that the operator has named: its addresses, whoever they belong to. That it has none is a slip of
  // theirs.
  Result<DnsAnswer> answer = ask_dns(settings.dns_program, {"ip", hop.host}, deadline);
  if (!answer) return answer.failure();
  const DnsHost host{0, hop.host, answer->rrsets};
  std::vector<Target> targets;
  for (const std::string& address : usable_addresses(host, settings))
    targets.push_back(target_at(hop.host, address, port, dane_lead(*answer, host)));
  if (targets.empty()) {
    return temporary("deliver by control/smtproutes: " + printable(hop.host, 255) + " has no address", 0,
                     "4.4.4");
  }
  return targets;
}

bool is_found_by_mx(const Target& target) {
  return target.dane.how.question == "mx";
}

const std::string& policy_domain(const Target& target, const std::string& domain) {
  return is_found_by_mx(target) ? domain : target.host;
}

const DaneResult& DaneAnswers::of(const Target& target) {
  const auto [place, added] = known_.try_emplace({target.host, target.port});
  if (added) {
    place->second = look_up_dane(dns_program_, target.dane.how, target.dane.host, target.port,
                                 now_milliseconds() + kDnsDeadlineMilliseconds);
  }
  return place->second;
}

}  // namespace postern
