#include <algorithm>

#include "lib/child.h"
#include "lib/control.h"
#include "lib/idn.h"
#include "lib/mid.h"
#include "lib/text.h"
#include "remote/dane_report.h"
#include "remote/routes.h"
#include "remote/smtp_session.h"
#include "remote/sts.h"
#include "remote/table_file.h"
#include "remote/targets.h"
#include "remote/tls_context.h"
#include "remote/tls_findings.h"
#include "remote/tls_policy.h"

namespace postern {

namespace {

constexpr int64_t kDnsDeadlineMilliseconds = 60000;
constexpr int64_t kPatienceSeconds = 30;  // a person waits; a delivery has its own times
constexpr size_t kNameLimitBytes = 255;

DaneReport& conclude(DaneReport& report, DaneReport::Verdict verdict, std::string why) {
  report.verdict = verdict;
  report.why = std::move(why);
  return report;
}

DaneReport& conclude(DaneReport& report, const Failure& failure) {
  return conclude(report, failure.permanent() ? DaneReport::Verdict::never : DaneReport::Verdict::deferred,
                  failure.status + " " + failure.text);
}

std::string sts_text(const StsAnswer& answer) {
  if (answer.outcome == StsAnswer::Outcome::none) return "none";
  if (answer.outcome == StsAnswer::Outcome::failed || answer.outcome == StsAnswer::Outcome::pending)
    return "not known: " + printable(answer.why);
  std::string text(sts_mode_word(answer.policy.mode));
  text += " for " + std::to_string(answer.left) + " s, mx";
  for (const std::string& mx : answer.policy.mx) text += " " + printable(mx, kNameLimitBytes);
  return text;
}

class Examination {
 public:
  Examination(const RemoteSettings& settings, const ExamineOptions& options)
      : settings_(settings), options_(options), dane_(settings.dns_program) {
    for (const auto timeout :
         {&SmtpTimeouts::connect, &SmtpTimeouts::greeting, &SmtpTimeouts::hello, &SmtpTimeouts::starttls}) {
      settings_.timeouts.*timeout = std::min(settings_.timeouts.*timeout, kPatienceSeconds);
    }
  }

  DaneReport of(const std::string& asked);

 private:
  Result<void> read_tables(DaneReport& report);
  Result<std::vector<Target>> find_hosts(DaneReport& report);
  void ask_sts(DaneReport& report);
  void look_at(HostReport& host, const std::vector<Target>& addresses, const DaneReport& report);
  void connect(HostReport& host, const std::vector<Target>& addresses);
  void talk(HostReport& host, SmtpSession& session);
  void start_tls(HostReport& host, SmtpSession& session);

  RemoteSettings settings_;
  ExamineOptions options_;
  DaneAnswers dane_;
  std::optional<StsOfDelivery> sts_;
  Route route_;
  std::unique_ptr<TlsContext> context_;
};

DaneReport Examination::of(const std::string& asked) {
  DaneReport report;
  report.domain = asked;
  Result<std::string> domain = a_labels(asked);
  if (!domain) return conclude(report, domain.failure());
  report.domain = *domain;
  if (Result<void> read = read_tables(report); !read) return conclude(report, read.failure());
  Result<std::vector<Target>> targets = find_hosts(report);
  if (!targets) return conclude(report, targets.failure());
  ask_sts(report);
  for (HostReport& host : report.hosts) {
    std::vector<Target> addresses;
    std::copy_if(targets->begin(), targets->end(), std::back_inserter(addresses),
                 [&](const Target& target) { return target.host == host.host.name; });
    if (host.used) look_at(host, addresses, report);
  }
  const auto taker = std::find_if(report.hosts.begin(), report.hosts.end(),
                                  [](const HostReport& host) { return host.goes; });
  if (taker == report.hosts.end())
    return conclude(report, DaneReport::Verdict::deferred, "4.7.5 no host that it may go to");
  return conclude(report, DaneReport::Verdict::goes,
                  "to " + printable(taker->host.name, kNameLimitBytes) + ", " + demand_text(taker->demand) +
                      (options_.connect ? "" : "; nothing was connected to"));
}

Result<void> Examination::read_tables(DaneReport& report) {
  Result<Destinations> destinations = Destinations::read();
  if (!destinations) return destinations.failure();
  report.destination = destinations->of(report.domain);
  TableFile<RouteTable> routes(home_path("control/smtproutes"));
  Result<const RouteTable*> table = routes.current();
  if (!table) return table.failure();
  route_ = (*table)->find(report.domain);
  if (route_.discards()) return permanent("its route is /dev/null: thrown away", 0, "5.4.4");
  report.destination.table_tls = tls_level_of(route_, report.destination.table_tls);
  for (const RouteHost& host : route_.hosts)
    report.next_hop += (report.next_hop.empty() || host.hop.host.empty() ? "" : ", ") + host.hop.host;
  return {};
}

// The hosts in the order in which they are tried, then those that a delivery leaves out.
Result<std::vector<Target>> Examination::find_hosts(DaneReport& report) {
  const int64_t deadline = now_milliseconds() + kDnsDeadlineMilliseconds;
  const NextHop& hop = route_.hosts.front().hop;
  const bool by_mx =
      route_.hosts.size() == 1 && hop.way == NextHop::Way::mx && address_literal(report.domain).empty();
  if (by_mx) {
    Result<DnsAnswer> answer = ask_mx(settings_.dns_program, report.domain, deadline);
    if (!answer) return answer.failure();
    report.how = std::move(*answer);
  }
  RemoteSettings with_port = settings_;
  if (hop.port != 0) with_port.port = hop.port;
  Result<std::vector<Target>> targets = by_mx
                                            ? targets_of_mx(*report.how, with_port, own_addresses(settings_))
                                            : targets_of_route(report.domain, route_, settings_);
  const auto known = [&](const std::string& name) {
    return std::any_of(report.hosts.begin(), report.hosts.end(),
                       [&](const HostReport& host) { return host.host.name == name; });
  };
  if (targets) {
    for (const Target& target : *targets) {
      if (known(target.host)) continue;
      HostReport host;
      host.host = target.dane.host;
      host.host.name = target.host;
      report.hosts.push_back(std::move(host));
      if (!report.how) report.how = target.dane.how;
    }
  }
  if (!by_mx) return targets;
  for (const DnsHost& left : report.how->hosts) {
    if (known(left.name)) continue;
    HostReport host;
    host.host = left;
    host.used = false;
    host.left_out = lookup_failed(left)            ? "its addresses could not be looked up"
                    : host_addresses(left).empty() ? "it has no address"
                                                   : "it is this host, not better than it, or has no usable "
                                                     "address (control/ipfamilies)";
    report.hosts.push_back(std::move(host));
  }
  return targets;
}

// The policy is shown also where DANE goes before it. It speaks of hosts found by MX alone.
void Examination::ask_sts(DaneReport& report) {
  const bool by_mx = report.how && report.how->question == "mx";
  sts_.emplace(StsPrograms{by_mx ? settings_.sts_program : "none", settings_.dns_program}, report.domain);
  const bool asks = report.destination.table_tls == TlsLevel::dane;
  report.sts = asks && by_mx && settings_.sts_program != "none" ? sts_text(sts_->answer()) : "not looked at";
}

void Examination::look_at(HostReport& host, const std::vector<Target>& addresses, const DaneReport& report) {
  const Target& first = addresses.front();
  TlsFindings findings;
  host.dane_asked = asks_dane(report.destination.table_tls) && !is_local_socket(first);
  if (host.dane_asked) {
    host.dane = dane_.of(first);
    findings.dane = &host.dane;
  }
  if (is_found_by_mx(first)) add_sts(*sts_, report.destination, host.host.name, findings);
  if (findings.sts != nullptr)
    host.sts = findings.sts_names_host ? "names this host" : "does not name this host";
  host.demand = is_local_socket(first) ? demand_for_local_socket()
                                       : demand_for(report.destination, policy_domain(first, report.domain),
                                                    host.host.name, findings);
  if (!host.demand.refusal.empty() && !host.demand.report_only) {
    host.why = host.demand.refusal;
    return;
  }
  host.only_reported = host.demand.refusal;
  host.goes = true;
  if (options_.connect) connect(host, addresses);
}

// To one address after another until one does what is wanted, as a delivery does.
void Examination::connect(HostReport& host, const std::vector<Target>& addresses) {
  host.connection.tried = true;
  for (const Target& target : addresses) {
    host.connection.address = target.address + " port " + std::to_string(target.port);
    Result<std::unique_ptr<SmtpSession>> session =
        SmtpSession::connect(target, make_mid(), settings_.timeouts);
    host.connection.fault = session ? "" : session.failure().text;
    if (!session) continue;
    talk(host, **session);
    (*session)->quit();
    if (host.connection.fault.empty()) break;
  }
  host.goes = host.connection.fault.empty();
  host.why = host.connection.fault;
}

void Examination::talk(HostReport& host, SmtpSession& session) {
  if (Result<void> greeted = session.greet(settings_); !greeted) {
    host.connection.fault = greeted.failure().text;
    return;
  }
  if (host.demand.need == TlsNeed::none) return;
  const bool needed = host.demand.need != TlsNeed::opportunistic;
  std::string fault;
  if (session.extensions().starttls) {
    start_tls(host, session);
    host.connection.tls = session.tls;
    fault = session.tls.fault.text;
  } else if (needed) {
    fault = "it does not offer STARTTLS";
  }
  if (fault.empty() || !needed) return;  // opportunistic: what fails goes without TLS
  (host.demand.report_only ? host.only_reported : host.connection.fault) = fault;
}

void Examination::start_tls(HostReport& host, SmtpSession& session) {
  if (!context_) {
    Result<std::unique_ptr<TlsContext>> made = TlsContext::make(settings_);
    if (!made) {
      session.tls.fault = {"validation-failure", made.failure().text};
      return;
    }
    context_ = std::move(*made);
  }
  const Result<void> started = session.start_tls(*context_, host.demand, settings_);
  if (!started && session.tls.fault.text.empty())
    session.tls.fault = {"validation-failure", started.failure().text};
  if (const SSL* connection = session.tls_connection(); connection != nullptr)
    host.connection.chain = shown_chain(connection);
}

}  // namespace

DaneReport examine(const std::string& domain, const RemoteSettings& settings, const ExamineOptions& options) {
  return Examination(settings, options).of(domain);
}

}  // namespace postern
