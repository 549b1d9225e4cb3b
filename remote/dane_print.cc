#include "lib/text.h"
#include "remote/dane_report.h"

namespace postern {

namespace {

constexpr size_t kNameLimitBytes = 255;

std::string security_text(const DnsRrset& rrset) {
  std::string text(security_word(rrset.security));
  if (rrset.outcome != DnsOutcome::found) text.append(" ").append(outcome_word(rrset.outcome));
  if (rrset.canonical != rrset.name) text += ", by CNAME: " + printable(rrset.canonical, kNameLimitBytes);
  if (!rrset.why.empty()) text += " (" + printable(rrset.why) + ")";
  return text;
}

std::string joined(const std::vector<std::string>& list) {
  std::string text;
  for (const std::string& one : list) text += (text.empty() ? "" : " ") + printable(one);
  return text;
}

// "  WORD        TEXT\n", the text in one column; nothing for no text.
std::string line(std::string_view word, std::string_view text) {
  constexpr size_t kColumn = 14;
  if (text.empty()) return {};
  std::string out("  ");
  out.append(word).resize(std::max(kColumn, out.size() + 1), ' ');
  return out.append(text).append("\n");
}

std::string connection_text(const ConnectionReport& connection) {
  if (!connection.tried) return {};
  std::string text = connection.address;
  if (connection.tls.encrypted()) text += " " + connection.tls.protocol + " " + connection.tls.cipher;
  if (connection.tls.did == TlsOutcome::Did::authenticated) text += ", the certificate fits";
  if (connection.tls.did == TlsOutcome::Did::plain && connection.fault.empty()) text += " without TLS";
  if (!connection.tls.fault.text.empty())
    text += ", " + connection.tls.fault.type + ": " + connection.tls.fault.text;
  if (!connection.fault.empty() && connection.fault != connection.tls.fault.text)
    text += ", " + connection.fault;
  std::string out = line("connection", text);
  for (size_t i = 0; i < connection.chain.size(); ++i) {
    const ShownCertificate& one = connection.chain[i];
    out += line("certificate", std::to_string(i) + " " + one.subject + ", by " + one.issuer);
    out += line("", "  from " + one.not_before + " to " + one.not_after +
                        (one.names.empty() ? "" : ", for " + joined(one.names)));
    out += line("", "  x 0 1 " + one.certificate_sha256);
    out += line("", "  x 1 1 " + one.key_sha256);
  }
  return out;
}

std::string host_text(const HostReport& host) {
  std::string text = "host " + printable(host.host.name, kNameLimitBytes) + " (" +
                     std::to_string(host.host.preference) + ")\n";
  for (const DnsRrset& rrset : host.host.addresses) {
    std::string what = security_text(rrset);
    if (!rrset.data.empty()) what += " " + joined(rrset.data);
    text += line(rrset.type, what);
  }
  if (!host.used) return text + line("left out", host.left_out);
  if (host.dane_asked) {
    text += line("TLSA", host.dane.tlsa_name);
    for (const JudgedTlsa& judged : host.dane.records)
      text +=
          line("", judged.text + (judged.unusable.empty() ? "  usable" : "  not usable: " + judged.unusable));
    text += line("DANE", std::string(row_text(host.dane.outcome)) + " (" + printable(host.dane.why) + ")");
    if (!host.dane.names.empty()) text += line("names", joined(host.dane.names));
  }
  text += line("MTA-STS", host.sts);
  text += line("demand", demand_text(host.demand));
  text += connection_text(host.connection);
  text += line("only logged", host.only_reported);
  return text +
         line("delivery", (host.goes ? "goes" : "does not go over it: ") + (host.goes ? "" : host.why));
}

Json rrset_json(const DnsRrset& rrset) {
  Json json;
  json["type"] = rrset.type;
  json["name"] = rrset.name;
  json["canonical"] = rrset.canonical;
  json["security"] = security_word(rrset.security);
  json["outcome"] = outcome_word(rrset.outcome);
  json["ttl"] = rrset.ttl;
  json["data"] = rrset.data;
  if (!rrset.why.empty()) json["why"] = rrset.why;
  return json;
}

Json rrsets_json(const std::vector<DnsRrset>& rrsets) {
  Json json = Json::array();
  for (const DnsRrset& rrset : rrsets) json.push_back(rrset_json(rrset));
  return json;
}

Json connection_json(const ConnectionReport& connection) {
  Json json;
  json["address"] = connection.address;
  json["encrypted"] = connection.tls.encrypted();
  json["authenticated"] = connection.tls.did == TlsOutcome::Did::authenticated;
  json["protocol"] = connection.tls.protocol;
  json["cipher"] = connection.tls.cipher;
  if (!connection.fault.empty()) json["fault"] = connection.fault;
  if (!connection.tls.fault.type.empty()) json["tls_fault"] = connection.tls.fault.type;
  if (!connection.tls.fault.text.empty()) json["tls_fault_text"] = connection.tls.fault.text;
  json["chain"] = Json::array();
  for (const ShownCertificate& one : connection.chain) {
    Json shown;
    shown["subject"] = one.subject;
    shown["issuer"] = one.issuer;
    shown["names"] = one.names;
    shown["not_before"] = one.not_before;
    shown["not_after"] = one.not_after;
    shown["certificate_sha256"] = one.certificate_sha256;
    shown["key_sha256"] = one.key_sha256;
    json["chain"].push_back(std::move(shown));
  }
  return json;
}

Json dane_json(const DaneResult& dane) {
  Json json;
  json["outcome"] = outcome_word(dane.outcome);
  json["why"] = dane.why;
  json["tlsa_name"] = dane.tlsa_name;
  json["names"] = dane.names;
  json["records"] = Json::array();
  for (const JudgedTlsa& judged : dane.records) {
    Json record;
    record["record"] = judged.text;
    record["usable"] = judged.unusable.empty();
    if (!judged.unusable.empty()) record["why"] = judged.unusable;
    json["records"].push_back(std::move(record));
  }
  return json;
}

Json host_json(const HostReport& host) {
  Json json;
  json["name"] = host.host.name;
  json["preference"] = host.host.preference;
  json["addresses"] = rrsets_json(host.host.addresses);
  json["used"] = host.used;
  if (!host.used) {
    json["left_out"] = host.left_out;
    return json;
  }
  if (host.dane_asked) json["dane"] = dane_json(host.dane);
  if (!host.sts.empty()) json["mta_sts"] = host.sts;
  json["demand"] = demand_text(host.demand);
  if (host.connection.tried) json["connection"] = connection_json(host.connection);
  if (!host.only_reported.empty()) json["only_reported"] = host.only_reported;
  json["goes"] = host.goes;
  if (!host.why.empty()) json["why"] = host.why;
  return json;
}

}  // namespace

std::string_view verdict_word(DaneReport::Verdict verdict) {
  switch (verdict) {
    case DaneReport::Verdict::goes:
      return "goes";
    case DaneReport::Verdict::never:
      return "never";
    case DaneReport::Verdict::deferred:
      break;
  }
  return "deferred";
}

int verdict_exit_code(DaneReport::Verdict verdict) {
  return verdict == DaneReport::Verdict::goes ? 0 : verdict == DaneReport::Verdict::never ? 100 : 111;
}

std::string_view row_text(DaneResult::Outcome outcome) {
  switch (outcome) {
    case DaneResult::Outcome::usable:
      return "secure and usable: TLS, and the certificate must fit a TLSA record";
    case DaneResult::Outcome::unusable:
      return "secure and unusable: TLS, the certificate is not looked at";
    case DaneResult::Outcome::absent:
      return "securely absent: no DANE";
    case DaneResult::Outcome::not_applicable:
      return "insecure: no DANE";
    case DaneResult::Outcome::failed:
      break;
  }
  return "bogus or no answer: this host is not used for now";
}

std::string demand_text(const TlsDemand& demand) {
  if (demand.report_only) {
    TlsDemand strict = demand;
    strict.report_only = false;
    return "TLS where it is offered, else none; reported where it is not: " + demand_text(strict);
  }
  if (!demand.refusal.empty()) return "nothing is sent (" + demand.why + "): " + demand.refusal;
  switch (demand.need) {
    case TlsNeed::none:
      return "no TLS (" + demand.why + ")";
    case TlsNeed::opportunistic:
      return "TLS where it is offered, else none (" + demand.why + ")";
    case TlsNeed::encrypted:
      return "TLS, whoever it is (" + demand.why + ")";
    case TlsNeed::authenticated:
      break;
  }
  return (demand.tlsa.empty() ? "TLS with a certificate of a known authority ("
                              : "TLS with a certificate that fits TLSA (") +
         demand.why + ")";
}

std::string dane_report_text(const DaneReport& report) {
  std::string text = "domain " + printable(report.domain, kNameLimitBytes) + "\n";
  text += line("route", printable(report.next_hop, kNameLimitBytes));
  text += line("table_tls", std::string(tls_level_name(report.destination.table_tls)) +
                                (report.destination.tls_report ? ", only reported (tls_report)" : ""));
  if (report.how) {
    for (const DnsRrset& rrset : report.how->rrsets) {
      if (report.how->question == "mx") text += line("MX", security_text(rrset));
    }
  }
  text += line("MTA-STS", report.sts);
  for (const HostReport& host : report.hosts) text += host_text(host);
  text.append("delivery ").append(verdict_word(report.verdict)).append(": ").append(report.why);
  return text + "\n";
}

Json dane_report_json(const DaneReport& report) {
  Json json;
  json["domain"] = report.domain;
  if (!report.next_hop.empty()) json["route"] = report.next_hop;
  json["table_tls"] = tls_level_name(report.destination.table_tls);
  json["tls_report"] = report.destination.tls_report;
  if (report.how && report.how->question == "mx") json["mx"] = rrsets_json(report.how->rrsets);
  json["mta_sts"] = report.sts;
  json["hosts"] = Json::array();
  for (const HostReport& host : report.hosts) json["hosts"].push_back(host_json(host));
  json["verdict"] = verdict_word(report.verdict);
  json["why"] = report.why;
  return json;
}

}  // namespace postern
