#include "remote/sts_lookup.h"

#include <algorithm>

#include "lib/child.h"
#include "lib/control.h"
#include "lib/dns_answer.h"
#include "lib/log.h"
#include "lib/text.h"
#include "remote/https.h"
#include "remote/sts_decision.h"
#include "remote/tag_record.h"

namespace postern {

namespace {

constexpr uint64_t kMostDomainsLimit = 1000000;

}  // namespace

Result<StsSettings> read_sts_settings() {
  StsSettings settings;
  Result<std::string> dns = control_line_or("dnsq", settings.dns_program);
  if (!dns) return dns.failure();
  Result<std::string> ca_path = control_line_or("tlscapath", settings.ca_path);
  if (!ca_path) return ca_path.failure();
  Result<uint64_t> port = control_number_or("stsport", settings.port);
  if (!port) return port.failure();
  if (*port == 0 || *port > 65535) return temporary("read control/stsport: a port is 1 to 65535", 55);
  Result<uint64_t> most = control_number_or("stsdomains", settings.most_domains);
  if (!most) return most.failure();
  if (*most == 0 || *most > kMostDomainsLimit)
    return temporary("read control/stsdomains: write 1 to 1000000", 55);
  Result<Networks> inner = read_https_inner();
  if (!inner) return inner.failure();
  settings.inner = std::move(*inner);
  settings.dns_program = *dns;
  settings.ca_path = *ca_path;
  settings.port = static_cast<uint16_t>(*port);
  settings.most_domains = *most;
  return settings;
}

StsLookup::StsLookup(StsSettings settings, std::string directory)
    : settings_(std::move(settings)),
      cache_(directory, settings_.most_domains),
      locks_(std::move(directory), settings_.most_fetches) {}

StsAnswer StsLookup::look_up(std::string_view asked, uint64_t now) {
  const std::string domain = lower(asked);
  if (!is_policy_domain(domain)) return {.domain = domain};
  const int64_t deadline = now_milliseconds() + kStsFetchMilliseconds;
  const std::optional<StsEntry> entry = cache_.find(domain);
  const Result<std::vector<std::string>> records =
      ask_txt(settings_.dns_program, "_mta-sts." + domain, deadline);
  StsDecision decision = decide_sts(domain, entry, records, now);
  if (entry && sts_to_be_touched(*entry, now) && cache_.writable()) cache_.touch(domain);
  if (decision.due) due_.push_back({domain, decision.id});
  if (decision.answer) return std::move(*decision.answer);
  return fetch(entry.value_or(StsEntry{.domain = domain}), decision.id, now, deadline);
}

void StsLookup::refresh(uint64_t now) {
  for (const Due& due : std::exchange(due_, {})) {
    std::optional<StsEntry> entry = cache_.find(due.domain);
    if (entry && sts_is_due(*entry, now))
      fetch(std::move(*entry), due.id, now, now_milliseconds() + kStsFetchMilliseconds);
  }
}

StsAnswer StsLookup::fetch(StsEntry entry, const std::string& id, uint64_t now, int64_t deadline) {
  if (sts_tried_lately(entry, now)) return sts_answer_of(entry, now);
  StsTurn turn;
  if (cache_.writable()) turn = locks_.try_turn(entry.domain);
  if (!turn) {
    const bool same = turn.refusal == StsTurn::Refusal::domain;
    return sts_answer_meanwhile(entry.domain, entry,
                                same ? "it is being fetched" : "too many policies are being fetched", now);
  }
  // Whoever had the turn just before may have fetched what we want.
  const std::optional<StsEntry> fresh = cache_.find(entry.domain);
  if (fresh && fresh->tried > entry.tried && (!fresh->result.empty() || fresh->policy.id == id))
    return sts_answer_of(*fresh, now);
  entry.tried = now;
  entry.why.clear();
  entry.result.clear();
  Result<StsPolicy> policy = fetch_policy(entry.domain, deadline, entry.result);
  if (policy) {
    entry.policy = std::move(*policy);
    entry.policy.id = id;
    // Else a policy of no duration would be fetched for every message.
    entry.policy.max_age = std::max(entry.policy.max_age, kStsRetrySeconds);
    entry.fetched = now;
    log_info("MTA-STS policy of " + entry.domain + ": " + std::string(sts_mode_word(entry.policy.mode)) +
             ", " + std::to_string(entry.policy.mx.size()) + " mx, max_age " +
             std::to_string(entry.policy.max_age) + ", id " + id);
  } else {
    entry.why = policy.failure().text;
    log_info("MTA-STS policy of " + entry.domain + " not fetched: " + entry.result + ": " +
             printable(entry.why, 300) + (entry.holds(now) ? "; the one of before holds" : ""));
  }
  keep(entry);
  return sts_answer_of(entry, now);
}

Result<StsPolicy> StsLookup::fetch_policy(const std::string& domain, int64_t deadline, std::string& result) {
  const std::string host = "mta-sts." + domain;
  result = "sts-policy-fetch-error";
  Result<DnsAnswer> addresses = ask_dns(settings_.dns_program, {"ip", host}, deadline);
  if (!addresses) return addresses.failure();
  HttpsRequest request;
  request.url = {.url = "https://" + host + "/.well-known/mta-sts.txt", .host = host};
  request.addresses = host_addresses({.name = host, .addresses = addresses->rrsets});
  request.inner = settings_.inner;
  request.connect_port = settings_.port;
  request.ca_path = settings_.ca_path;
  request.timeout_milliseconds = deadline - now_milliseconds();
  request.limit_bytes = kStsTextLimitBytes;
  const HttpsEnd end = exchange(request);
  if (!end.trouble.text.empty()) {
    if (end.trouble.untrusted) result = "sts-webpki-invalid";
    return temporary(end.trouble.text);
  }
  if (end.reply.status != 200) return temporary("the HTTP status is " + std::to_string(end.reply.status));
  if (end.reply.content_type != "text/plain")
    return temporary("the content type is \"" + printable(end.reply.content_type, 80) + "\", not text/plain");
  Result<StsPolicy> policy = parse_sts_policy(end.reply.body);
  result = policy ? "" : "sts-policy-invalid";
  return policy;
}

// By hand the cache is often not ours to write: then it is only read.
void StsLookup::keep(const StsEntry& entry) {
  if (!cache_.writable()) return;
  if (Result<void> kept = cache_.put(entry, now_microseconds() / 1000000); !kept)
    log_warning("keep an MTA-STS policy", kept.failure());
}

}  // namespace postern
