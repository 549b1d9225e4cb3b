#include "dnsq/inquiry.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "dnsq/dns_record.h"

using namespace postern;

namespace {

// Answers MX with the given records, and any host with one address.
class MxSource : public DnsSource {
 public:
  explicit MxSource(std::vector<std::string> records) : records_(std::move(records)) {}
  uint64_t look_up(const std::string& name, uint16_t type, LookupDone done) override {
    DnsRrset rrset{.type = format_dns_type(type),
                   .name = name,
                   .canonical = name,
                   .security = DnsSecurity::insecure,
                   .ttl = 60,
                   .outcome = DnsOutcome::found,
                   .data = {},
                   .why = {}};
    if (type == kTypeMx) rrset.data = records_;
    if (type == kTypeA) rrset.data = {"192.0.2.1"};
    if (type == kTypeAaaa) rrset.outcome = DnsOutcome::nodata;
    done(std::move(rrset));
    return 1;
  }
  void forget(uint64_t) override {}

 private:
  std::vector<std::string> records_;
};

}  // namespace

TEST_CASE("a null MX is one of which every record says so, and a record that cannot be read is a failure") {
  struct Row {
    std::vector<std::string> records;
    DnsOutcome outcome;
    size_t hosts;
    int exit_code;
  };
  const std::vector<Row> rows = {
      {{"0 ."}, DnsOutcome::null_mx, 0, 0},
      {{"0 .", "10 ."}, DnsOutcome::null_mx, 0, 0},
      {{"0 .", "10 mx.example.test"}, DnsOutcome::found, 1, 0},
      {{"10 mx.example.test"}, DnsOutcome::found, 1, 0},
      {{"\\# 5 000a026d78"}, DnsOutcome::failed, 0, 111},
      {{"\\# 0"}, DnsOutcome::failed, 0, 111},
      {{"0 .", "\\# 5 000a026d78"}, DnsOutcome::failed, 0, 111},
      {{"10 mx.example.test", "\\# 5 000a026d78"}, DnsOutcome::failed, 0, 111},
      {{"70000 mx.example.test"}, DnsOutcome::failed, 0, 111},
      {{"10 "}, DnsOutcome::failed, 0, 111},
      {{""}, DnsOutcome::failed, 0, 111},
      {{}, DnsOutcome::failed, 0, 111},
  };
  for (const Row& row : rows) {
    CAPTURE(row.records);
    MxSource source(row.records);
    Inquiry inquiry(parse_dns_question({"mx", "example.test"}).value(), source);
    inquiry.start();
    REQUIRE(inquiry.finished());
    CHECK(inquiry.answer().outcome == row.outcome);
    CHECK(inquiry.answer().hosts.size() == row.hosts);
    CHECK(answer_exit_code(inquiry.answer()) == row.exit_code);
    const Result<DnsAnswer> read = parse_dns_answer(answer_text(inquiry.answer()));
    REQUIRE(read.ok());
    CHECK(read->outcome == row.outcome);
  }
}
