// parts: dnsq/dns_name.cc dnsq/dns_record.cc dnsq/inquiry.cc lib
//
// Records as a hostile name server sends them, behind whole questions: each answer is one that its readers
// can parse, within its bounds, and it is a certain no only where no lookup failed.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dnsq/dns_record.h"
#include "dnsq/inquiry.h"
#include "lib/request.h"
#include "must.h"

using namespace postern;

namespace {

// Takes its answers from the input: an outcome, a number of records, and for each its length and its bytes.
class HostileSource : public DnsSource {
 public:
  explicit HostileSource(std::string_view bytes) : bytes_(bytes) {}

  uint64_t look_up(const std::string& name, uint16_t type, LookupDone done) override {
    DnsRrset rrset;
    rrset.type = format_dns_type(type);
    rrset.name = name;
    rrset.canonical = name;
    rrset.security = DnsSecurity::insecure;
    const unsigned what = take() % 8;
    rrset.outcome = what == 0   ? DnsOutcome::nodata
                    : what == 1 ? DnsOutcome::nxdomain
                    : what == 2 ? DnsOutcome::failed
                    : what == 3 ? DnsOutcome::bogus
                                : DnsOutcome::found;
    if (rrset.outcome == DnsOutcome::found) {
      const size_t records = 1 + take() % 40;
      for (size_t i = 0; i < records; ++i) rrset.data.push_back(record(type));
    }
    if (is_temporary(rrset.outcome)) rrset.why = "because";
    any_failed = any_failed || is_temporary(rrset.outcome);
    done(std::move(rrset));
    return 0;
  }
  void forget(uint64_t) override {}

  bool any_failed = false;

 private:
  unsigned take() {
    if (bytes_.empty()) return 0;
    const auto byte = static_cast<unsigned char>(bytes_.front());
    bytes_.remove_prefix(1);
    return byte;
  }

  std::string record(uint16_t type) {
    const size_t length = std::min<size_t>(take(), bytes_.size());
    std::string text = format_dns_data(type, bytes_.substr(0, length));
    bytes_.remove_prefix(length);
    must(std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; }));
    return text;
  }

  std::string_view bytes_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"mx", "x.test"},
                                             {"ip", "x.test"},
                                             {"txt", "x.test"},
                                             {"tlsa", "_25._tcp.x.test"},
                                             {"ptr", "192.0.2.1"},
                                             {"any", "TYPE65", "x.test"},
                                             {"any", "SRV", "x.test"}}) {
    HostileSource source(bytes);
    Result<DnsQuestion> question = parse_dns_question(words);
    must(question.ok());
    Inquiry inquiry(std::move(*question), source);
    inquiry.start();
    must(inquiry.finished());
    const DnsAnswer& answer = inquiry.answer();
    const std::string text = answer_text(answer);
    must(text.size() <= kReplyLimitBytes);
    const Result<DnsAnswer> parsed = parse_dns_answer(text);
    must(parsed.ok() && format_dns_answer(*parsed) == text);
    const bool certain_no = answer.outcome == DnsOutcome::nodata || answer.outcome == DnsOutcome::nxdomain;
    if (certain_no) must(!source.any_failed);
    must(is_temporary(answer.outcome) == (answer_exit_code(answer) == 111) || text.size() < 200);
    must(answer.hosts.size() <= 32);
    for (const DnsHost& host : answer.hosts) must(host_addresses(host).size() <= 32);
  }
  return 0;
}
