// parts: lib
//
// Answer lines as a program in the place of postern-dnsq may print them: what is taken can be written out
// again and means the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "lib/dns_answer.h"

using namespace postern;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Result<DnsAnswer> answer = parse_dns_answer(text);
  if (!answer) {
    if (answer.failure().permanent()) std::abort();
    return 0;
  }
  const std::string written = format_dns_answer(*answer);
  const Result<DnsAnswer> again = parse_dns_answer(written);
  if (!again || again->outcome != answer->outcome || again->hosts.size() != answer->hosts.size())
    std::abort();
  // A reason may have had bytes that are written otherwise; the second writing has none.
  const std::string second = format_dns_answer(*again);
  const Result<DnsAnswer> third = parse_dns_answer(second);
  if (!third || third->rrsets.size() != answer->rrsets.size()) std::abort();
  for (const DnsHost& host : answer->hosts) {
    if (host.preference > 65535 || host_addresses(host).size() > size) std::abort();
  }
  return 0;
}
