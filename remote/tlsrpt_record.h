// What became of one TLS session with a mail host, for the daily reports of RFC 8460: remote says it to
// postern-tlsrpt, which keeps it as a line of db/tlsrpt/DAY. The words are those of a request and the fields
// of the line, there separated by TABs:
//
//   domain=example.org           whose policy it is: the recipients' domain
//   type=sts                     sts, tlsa or no-policy-found
//   policy=mode: enforce         a line of the policy (a TLSA record, with type=tlsa); repeated
//   mx=*.example.org             a pattern of the policy, with type=sts; repeated
//   host=mx.example.org          the mail host; empty where none was tried
//   sending=192.0.2.1            our address
//   receiving=192.0.2.2          its address
//   result=certificate-expired   RFC 8460 4.3; missing where the session was what the policy wants
//   reason=TEXT                  ours
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/result.h"
#include "remote/sts_answer.h"

namespace postern {

constexpr size_t kTlsRecordLimitBytes = 4096;  // so that a line is written whole, whoever writes beside us
constexpr size_t kTlsPolicyLinesLimit = 32;    // what is beyond is left out of the reports

struct TlsRecord {
  std::string domain{};
  std::string type = "no-policy-found";
  std::vector<std::string> policy{};
  std::vector<std::string> mx{};
  std::string host{};
  std::string sending{};
  std::string receiving{};
  std::string result{};  // empty: a success
  std::string reason{};

  bool operator==(const TlsRecord&) const = default;
};

// A record's domain, type, policy and mx for a policy of MTA-STS; a fetch that failed is a result.
TlsRecord tls_record_of(const StsAnswer& answer);

std::vector<std::string> tls_record_words(const TlsRecord& record);
// The failure (permanent) names the word that is none.
Result<TlsRecord> parse_tls_record(const std::vector<std::string>& words);
std::string format_tls_line(const TlsRecord& record);  // with its LF
Result<TlsRecord> parse_tls_line(std::string_view line);

// Hands it to `program` (control/tlsrpt; "none": nobody) and does not wait for an answer. One that is lost is
// missing from a report; mail never waits for it.
void send_tls_record(const std::string& program, const TlsRecord& record);

}  // namespace postern
