// What postern-dane finds out about a domain: how a delivery would go, step by step, and why.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/destinations.h"
#include "lib/dns_answer.h"
#include "lib/json_text.h"
#include "remote/certificate_text.h"
#include "remote/dane.h"
#include "remote/settings.h"
#include "remote/tls_demand.h"
#include "remote/tls_outcome.h"

namespace postern {

// What became of one connection, or of the first that could be made.
struct ConnectionReport {
  bool tried = false;
  std::string address;
  std::string fault;  // why nothing would be delivered over it; empty: it would
  TlsOutcome tls;
  std::vector<ShownCertificate> chain;  // as the server showed it, its own first
};

struct HostReport {
  DnsHost host;
  bool used = true;      // false: a delivery would leave it out
  std::string left_out;  // why
  DaneResult dane;
  bool dane_asked = false;  // the TLS level is dane or dane-only
  std::string sts;          // what MTA-STS says of it; empty: nothing
  TlsDemand demand;
  ConnectionReport connection;
  // What a delivery would do here, and what it would be deferred for were it not for tls_report.
  bool goes = false;
  std::string why;
  std::string only_reported;
};

struct DaneReport {
  enum class Verdict { goes, deferred, never };
  std::string domain;
  std::string next_hop;  // of control/smtproutes; empty: by MX
  Destination destination;
  std::optional<DnsAnswer> how;   // the answer to mx, or to ip for a route
  std::string sts;                // the domain's MTA-STS policy in words
  std::vector<HostReport> hosts;  // in the order in which they are tried
  Verdict verdict = Verdict::deferred;
  std::string why;
};

struct ExamineOptions {
  bool connect = true;
};

DaneReport examine(const std::string& domain, const RemoteSettings& settings, const ExamineOptions& options);

std::string_view verdict_word(DaneReport::Verdict verdict);
int verdict_exit_code(DaneReport::Verdict verdict);
// The row of the table in doc/INTERNALS.md, in words.
std::string_view row_text(DaneResult::Outcome outcome);
std::string demand_text(const TlsDemand& demand);

std::string dane_report_text(const DaneReport& report);
Json dane_report_json(const DaneReport& report);

}  // namespace postern
