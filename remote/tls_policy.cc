#include "remote/tls_policy.h"

#include "lib/text.h"

namespace postern {

namespace {

TlsDemand demand(TlsNeed need, std::string why, std::vector<std::string> names) {
  TlsDemand made;
  made.need = need;
  made.why = std::move(why);
  made.names = std::move(names);
  return made;
}

// The host is passed over; where that is only to be reported, it is delivered to as to any other.
TlsDemand refuse(std::string_view why, std::string type, std::string text, std::string_view host) {
  TlsDemand made = demand(TlsNeed::opportunistic, std::string(why), {std::string(host)});
  made.refusal_type = std::move(type);
  made.refusal = std::move(text);
  return made;
}

TlsDemand demand_of_sts(const TlsFindings& findings, std::string_view host) {
  const bool testing = findings.sts->mode == StsPolicy::Mode::testing;
  TlsDemand made = demand(TlsNeed::authenticated, "sts", {std::string(host)});
  if (!findings.sts_names_host) {
    made =
        refuse("sts", "validation-failure", "the MTA-STS policy does not name " + printable(host, 255), host);
  }
  made.report_only = testing;
  return made;
}

TlsDemand demand_of_dane(const TlsFindings& findings, std::string_view host, bool only) {
  using Outcome = DaneResult::Outcome;
  const Outcome outcome = findings.dane == nullptr ? Outcome::not_applicable : findings.dane->outcome;
  const std::string why = only ? "dane-only" : "dane";
  switch (outcome) {
    case Outcome::usable: {
      TlsDemand made = demand(TlsNeed::authenticated, why, findings.dane->names);
      made.tlsa = findings.dane->tlsa;
      return made;
    }
    case Outcome::unusable:
      // RFC 7672 2.2: TLS it must be. dane-only wants a certificate that fits.
      if (!only) return demand(TlsNeed::encrypted, why, {std::string(host)});
      return refuse(why, "tlsa-invalid",
                    "no TLSA record of " + printable(host, 255) + " is usable, policy dane-only", host);
    case Outcome::failed:
      return refuse(why, "dnssec-invalid", printable(findings.dane->why), host);
    case Outcome::absent:
    case Outcome::not_applicable:
      break;
  }
  if (only)
    return refuse(why, "dane-required", printable(host, 255) + " has no secure TLSA record, policy dane-only",
                  host);
  if (findings.sts_pending)
    return refuse("sts", "sts-policy-fetch-error", "the MTA-STS policy is still being fetched", host);
  if (findings.sts != nullptr && findings.sts->mode != StsPolicy::Mode::none)
    return demand_of_sts(findings, host);
  return demand(TlsNeed::opportunistic, "may", {std::string(host)});
}

TlsDemand demand_of_level(const Destination& destination, std::string_view domain, std::string_view host,
                          const TlsFindings& findings) {
  const std::string name(host);
  switch (destination.table_tls) {
    case TlsLevel::off:
      return demand(TlsNeed::none, "off", {});
    case TlsLevel::may:
      return demand(TlsNeed::opportunistic, "may", {name});
    case TlsLevel::encrypt:
      return demand(TlsNeed::encrypted, "encrypt", {name});
    case TlsLevel::verify:
      return demand(TlsNeed::authenticated, "verify", {name});
    case TlsLevel::secure: {
      // An answer without DNSSEC cannot lead elsewhere: the names are the destination's own.
      const std::string own(domain);
      return demand(TlsNeed::authenticated, "secure", {own, "." + own});
    }
    case TlsLevel::dane:
      return demand_of_dane(findings, host, false);
    case TlsLevel::dane_only:
      return demand_of_dane(findings, host, true);
  }
  return demand(TlsNeed::authenticated, "secure", {});  // no such level: nothing fits
}

}  // namespace

bool looks_at_sts(const Destination& destination, const TlsFindings& findings) {
  using Outcome = DaneResult::Outcome;
  const Outcome outcome = findings.dane == nullptr ? Outcome::not_applicable : findings.dane->outcome;
  return destination.table_tls == TlsLevel::dane &&
         (outcome == Outcome::not_applicable || outcome == Outcome::absent);
}

TlsDemand demand_for(const Destination& destination, std::string_view domain, std::string_view host,
                     const TlsFindings& findings) {
  TlsDemand made = demand_of_level(destination, domain, host, findings);
  made.report_only = made.report_only || destination.tls_report;
  made.certificate = destination.certificate;
  return made;
}

TlsDemand demand_for_local_socket() {
  TlsDemand demand;
  demand.need = TlsNeed::none;
  demand.why = "a socket of this host";
  return demand;
}

}  // namespace postern
