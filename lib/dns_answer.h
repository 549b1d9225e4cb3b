// What postern-dnsq answers (design, Joint 6): one question, one answer of lines, the same in both forms.
//
//   answer QUESTION NAME OUTCOME                          the first line; OUTCOME as DnsOutcome below
//   rrset TYPE NAME CANONICAL SECURITY TTL OUTCOME        one RRset that was asked for; CANONICAL is where
//   CNAMEs led data DATA                                             a record of the RRset above, in
//   master-file form why TEXT                                              why the RRset above is bogus or
//   failed host PREFERENCE NAME                                  mx only: a mail host; its A and AAAA RRsets
//   follow
//
// Words are separated by one blank; names are lower-case, without the last dot ("." is the root) and with
// \DDD for any byte that could be mistaken for something else.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/result.h"

namespace postern {

enum class DnsOutcome {
  found,
  implicit,  // mx: no MX record, the domain's own addresses are used (RFC 5321 5.1)
  null_mx,   // mx: the domain says that it takes no mail (RFC 7505)
  nodata,    // the name exists, such a record does not
  nxdomain,  // no such name
  invalid,   // not a domain name at all
  bogus,     // DNSSEC says that the answer was forged or is broken: temporary, never "no record"
  failed,    // no answer: temporary, never "no record"
};

enum class DnsSecurity { secure, insecure, bogus, failed };

struct DnsRrset {
  std::string type;       // "A", "MX", "TYPE65"
  std::string name;       // as asked
  std::string canonical;  // where its CNAMEs lead; the name itself where there are none
  DnsSecurity security = DnsSecurity::failed;
  uint32_t ttl = 0;  // seconds left
  DnsOutcome outcome = DnsOutcome::failed;
  std::vector<std::string> data;
  std::string why;
};

struct DnsHost {
  unsigned preference = 0;
  std::string name;
  std::vector<DnsRrset> addresses;  // its A RRset and its AAAA RRset
};

struct DnsAnswer {
  std::string question;  // "mx", "ip", ...
  std::string name;
  DnsOutcome outcome = DnsOutcome::failed;
  std::vector<DnsRrset> rrsets;
  std::vector<DnsHost> hosts;  // by preference; the order among equals means nothing
};

std::string_view outcome_word(DnsOutcome outcome);
std::string_view security_word(DnsSecurity security);
// Outcomes that say nothing about the name: the question has to be asked again later.
constexpr bool is_temporary(DnsOutcome outcome) {
  return outcome == DnsOutcome::bogus || outcome == DnsOutcome::failed;
}

std::string format_dns_answer(const DnsAnswer& answer);
// Half an answer is none: any line that does not fit is a (temporary) failure.
Result<DnsAnswer> parse_dns_answer(std::string_view text);

// The addresses of a host, IPv6 first; whether one of its lookups gave no answer.
std::vector<std::string> host_addresses(const DnsHost& host);
bool lookup_failed(const DnsHost& host);

// Asks `program` (control/dnsq). An answer that is bogus or failed, and whatever else goes wrong, is a
// temporary failure with status 4.4.3; so an answer that comes back says something about the name.
Result<DnsAnswer> ask_dns(std::string_view program, const std::vector<std::string>& question,
                          int64_t deadline_milliseconds);
// The same as an object, for what must not know whom it asks: the words of a question to its answer.
using AskDns = std::function<Result<DnsAnswer>(const std::vector<std::string>& question)>;
// A resident is asked on one connection, which lasts as long as the object.
AskDns dns_asker(std::string program, int64_t deadline_milliseconds);

Result<DnsAnswer> ask_mx(std::string_view program, std::string_view domain, int64_t deadline_milliseconds);

}  // namespace postern
