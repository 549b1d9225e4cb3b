#include "dnsq/unbound_source.h"

#include <arpa/inet.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "dnsq/descriptors.h"
#include "dnsq/dns_name.h"
#include "dnsq/dns_record.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr const char* kRootAnchorFile = "/usr/share/dns/root.key";  // Debian's dns-root-data
constexpr uint32_t kNegativeTtlLimit = 3600;  // what the library keeps "no such name" for, at most
constexpr size_t kSocketLimit = 4096;
constexpr size_t kRecordLimit = 256;  // of one RRset

// The library's defaults are those of a short-lived client; these are a small resolver's.
// "num-queries-per-thread" must stay above the questions that the service lets wait (dns_service: 4096).
constexpr std::array<std::pair<const char*, const char*>, 9> kOptions = {{
    {"msg-cache-size:", "16m"},
    {"rrset-cache-size:", "32m"},
    {"key-cache-size:", "4m"},
    {"num-queries-per-thread:", "8192"},
    {"edns-buffer-size:", "1232"},
    // A resolver that was away is asked again as soon as it is back, not after fifteen minutes.
    {"infra-keep-probing:", "yes"},
    // A name server that does not answer is given up after five seconds instead of 17: whoever asks has a
    // queue.
    {"outbound-msg-retry:", "3"},
    {"do-not-query-localhost:", "no"},
    {"unblock-lan-zones:", "yes"},
}};

// Zones that the library answers itself with NXDOMAIN though our resolver may well know better;
// unblock-lan-zones covers the private networks. They can only be removed once the forwarder is set: removing
// finalises the context.
constexpr std::array<const char*, 3> kBlockedZones = {
    "test.", "127.in-addr.arpa.",
    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa."};

Failure unbound_failure(std::string_view doing, int error) {
  return temporary(std::string(doing) + ": " + ub_strerror(error), 0, "4.4.3");
}

DnsRrset failed_rrset(const std::string& name, uint16_t type, std::string why) {
  DnsRrset rrset;
  rrset.type = format_dns_type(type);
  rrset.name = name;
  rrset.canonical = name;
  rrset.why = std::move(why);
  return rrset;
}

std::string rcode_text(int rcode) {
  switch (rcode) {
    case 1:
      return "FORMERR";
    case 2:
      return "SERVFAIL";
    case 4:
      return "NOTIMP";
    case 5:
      return "REFUSED";
    default:
      return "rcode " + std::to_string(rcode);
  }
}

DnsRrset rrset_of(const std::string& name, uint16_t type, const ub_result& result) {
  DnsRrset rrset = failed_rrset(name, type, "");
  if (result.bogus != 0) {
    rrset.outcome = DnsOutcome::bogus;
    rrset.security = DnsSecurity::bogus;
    rrset.why = result.why_bogus != nullptr ? result.why_bogus : "validation failed";
    return rrset;
  }
  if (result.rcode != 0 && result.nxdomain == 0) {
    rrset.why = rcode_text(result.rcode);
    return rrset;
  }
  rrset.security = result.secure != 0 ? DnsSecurity::secure : DnsSecurity::insecure;
  rrset.ttl = static_cast<uint32_t>(std::max(result.ttl, 0));
  if (result.canonname != nullptr) {
    if (const std::optional<std::string> wire = parse_dns_name(result.canonname))
      rrset.canonical = format_dns_name(*wire);
  }
  if (result.havedata == 0) {
    // Without an SOA record (RFC 2308) the resolver makes one up, and it may not be kept.
    if (rrset.ttl > kNegativeTtlLimit) rrset.ttl = 0;
    rrset.outcome = result.nxdomain != 0 ? DnsOutcome::nxdomain : DnsOutcome::nodata;
    return rrset;
  }
  rrset.outcome = DnsOutcome::found;
  for (size_t i = 0; result.data[i] != nullptr && i < kRecordLimit; ++i) {
    rrset.data.push_back(format_dns_data(type, {result.data[i], static_cast<size_t>(result.len[i])}));
  }
  return rrset;
}

Result<void> set_forwarder(ub_ctx* context, const std::string& resolver) {
  if (resolver == "recursive") return {};
  if (resolver.empty()) {
    const int error = ub_ctx_resolvconf(context, nullptr);
    return error == 0 ? Result<void>() : unbound_failure("read /etc/resolv.conf", error);
  }
  const std::optional<std::string> address = forward_address(resolver);
  if (!address)
    return permanent("use the resolver \"" + printable(resolver, 80) + "\": write ADDRESS:PORT", 100);
  const int error = ub_ctx_set_fwd(context, address->c_str());
  return error == 0 ? Result<void>() : unbound_failure("use the resolver " + *address, error);
}

Result<void> set_trust_anchor(ub_ctx* context, const ResolverSettings& settings) {
  std::string file = settings.trust_anchor_file;
  const bool named = !settings.resolver.empty() && settings.resolver != "recursive";
  if (file.empty() && !named && ::access(kRootAnchorFile, R_OK) == 0) file = kRootAnchorFile;
  if (file.empty()) return {};
  // The library reads it only with the first question; a missing one must be seen now.
  if (::access(file.c_str(), R_OK) < 0) return os_failure("read the trust anchors " + file, errno, 55);
  const int error = ub_ctx_add_ta_file(context, file.c_str());
  return error == 0 ? Result<void>() : unbound_failure("read the trust anchors " + file, error);
}

}  // namespace

std::optional<std::string> forward_address(std::string_view resolver) {
  std::string_view host = resolver;
  std::string_view port = "53";
  if (resolver.starts_with('[')) {
    const size_t end = resolver.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    host = resolver.substr(1, end - 1);
    const std::string_view rest = resolver.substr(end + 1);
    if (!rest.empty() && rest.front() != ':') return std::nullopt;
    if (!rest.empty()) port = rest.substr(1);
  } else if (const size_t colon = resolver.find(':');
             colon != std::string_view::npos && resolver.rfind(':') == colon) {
    host = resolver.substr(0, colon);
    port = resolver.substr(colon + 1);
  }
  const std::string address(host);
  std::array<unsigned char, 16> bytes{};
  const bool literal = ::inet_pton(AF_INET, address.c_str(), bytes.data()) == 1 ||
                       ::inet_pton(AF_INET6, address.c_str(), bytes.data()) == 1;
  const std::optional<uint64_t> number = parse_number(port);
  if (!literal || !number || *number == 0 || *number > 65535) return std::nullopt;
  return address + "@" + std::to_string(*number);
}

Result<std::unique_ptr<UnboundSource>> UnboundSource::open(const ResolverSettings& settings) {
  std::unique_ptr<UnboundSource> source(new UnboundSource(ub_ctx_create()));
  ub_ctx* context = source->context_.get();
  if (context == nullptr) return temporary("make a resolver: out of memory or of descriptors");
  ub_ctx_debugout(context, nullptr);  // its own lines are not those of our log
  ub_ctx_async(context, 1);
  for (const auto& [name, value] : kOptions) {
    if (const int error = ub_ctx_set_option(context, name, value); error != 0) {
      return unbound_failure(std::string("set ") + name, error);
    }
  }
  // Lookups that wait for a slow name server hold a socket each; those behind them wait for one.
  const std::string range = std::to_string(std::min(kSocketLimit, descriptors_for_each()));
  if (const int error = ub_ctx_set_option(context, "outgoing-range:", range.c_str()); error != 0)
    return unbound_failure("set outgoing-range", error);
  if (Result<void> set = set_forwarder(context, settings.resolver); !set) return set.failure();
  if (Result<void> set = set_trust_anchor(context, settings); !set) return set.failure();
  for (const char* zone : kBlockedZones) {
    if (const int error = ub_ctx_zone_remove(context, zone); error != 0) {
      return unbound_failure(std::string("open the zone ") + zone, error);
    }
  }
  return source;
}

int UnboundSource::descriptor() const {
  return ub_fd(context_.get());
}

void UnboundSource::process() {
  ub_process(context_.get());
}

uint64_t UnboundSource::look_up(const std::string& name, uint16_t type, LookupDone done) {
  const uint64_t number = ++last_number_;
  Pending& pending = pending_[number];
  pending = {.source = this, .number = number, .name = name, .type = type, .done = std::move(done)};
  const int error = ub_resolve_async(context_.get(), name.c_str(), type, 1, &pending, &on_result, nullptr);
  if (error != 0) finish(pending, failed_rrset(name, type, ub_strerror(error)));
  return number;
}

void UnboundSource::forget(uint64_t lookup) {
  // The lookup itself goes on: its answer will be in the cache when the question is asked again.
  if (const auto found = pending_.find(lookup); found != pending_.end()) found->second.done = nullptr;
}

void UnboundSource::on_result(void* pending_pointer, int error, ub_result* result) {
  const std::unique_ptr<ub_result, void (*)(ub_result*)> owned(result, ub_resolve_free);
  const auto& pending = *static_cast<Pending*>(pending_pointer);
  DnsRrset rrset = error != 0 || result == nullptr
                       ? failed_rrset(pending.name, pending.type, ub_strerror(error))
                       : rrset_of(pending.name, pending.type, *result);
  pending.source->finish(pending, std::move(rrset));
}

void UnboundSource::finish(const Pending& pending, DnsRrset rrset) {
  // Off the list first: `done` may ask again.
  const LookupDone done = pending.done;
  pending_.erase(pending.number);
  if (done) done(std::move(rrset));
}

}  // namespace postern
