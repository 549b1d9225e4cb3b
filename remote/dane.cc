#include "remote/dane.h"

#include <algorithm>
#include <array>
#include <utility>

#include "lib/text.h"

namespace postern {

namespace {

using Outcome = DaneResult::Outcome;

constexpr size_t kNameLimitBytes = 255;

constexpr std::array<std::pair<Outcome, std::string_view>, 5> kOutcomeWords = {{
    {Outcome::not_applicable, "not applicable"},
    {Outcome::usable, "usable"},
    {Outcome::unusable, "unusable"},
    {Outcome::absent, "absent"},
    {Outcome::failed, "failed"},
}};

DaneResult result_of(Outcome outcome, std::string why) {
  DaneResult result;
  result.outcome = outcome;
  result.why = std::move(why);
  return result;
}

DaneResult failed(const DnsRrset& rrset) {
  std::string why = "the lookup of " + rrset.type + " " + printable(rrset.name, kNameLimitBytes);
  why += rrset.outcome == DnsOutcome::bogus ? " is bogus" : " failed";
  if (!rrset.why.empty()) why += ": " + rrset.why;
  return result_of(Outcome::failed, std::move(why));
}

void add_name(std::vector<std::string>& names, const std::string& name) {
  if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

// The RRset that the host's addresses came from: a secure one goes before others, so that DANE is not left
// out for the sake of the other family.
const DnsRrset* address_rrset(const DnsHost& host) {
  const DnsRrset* best = nullptr;
  for (const DnsRrset& rrset : host.addresses) {
    if (rrset.outcome != DnsOutcome::found) continue;
    if (best == nullptr || rrset.security == DnsSecurity::secure) best = &rrset;
  }
  return best;
}

struct Bases {
  std::vector<std::string> names;  // TLSA base domains to be asked for, in order
  DaneResult result;               // meaningful when there are none
};

// RFC 7672 2.2.2. Where CNAMEs lead is the first base domain when all of them are secure, and the name itself
// the next. When they are not, the name itself still is one if its own CNAME is secure: whoever published it
// in a signed zone can publish TLSA beside it.
Bases base_domains(const DnsHost& host, const DaneLookup& look_up) {
  Bases bases;
  const DnsRrset* address = address_rrset(host);
  if (address == nullptr) {
    const auto bad = std::find_if(host.addresses.begin(), host.addresses.end(),
                                  [](const DnsRrset& rrset) { return is_temporary(rrset.outcome); });
    bases.result =
        bad != host.addresses.end() ? failed(*bad) : result_of(Outcome::not_applicable, "it has no address");
    return bases;
  }
  if (address->security == DnsSecurity::secure) {
    add_name(bases.names, address->canonical);
    add_name(bases.names, host.name);
    return bases;
  }
  if (address->canonical == host.name) {
    bases.result = result_of(Outcome::not_applicable, "its addresses are insecure");
    return bases;
  }
  const DnsRrset alias = look_up("CNAME", host.name);
  if (is_temporary(alias.outcome)) {
    bases.result = failed(alias);
  } else if (alias.security != DnsSecurity::secure) {
    bases.result = result_of(Outcome::not_applicable, "its addresses, found by CNAME, are insecure");
  } else {
    add_name(bases.names, host.name);
  }
  return bases;
}

// RFC 7672 3.2.2: the base domain, then the domain that the mail is for and where its own CNAMEs lead.
std::vector<std::string> reference_names(const std::string& base, const DnsAnswer& how, const DnsHost& host) {
  std::vector<std::string> names{base};
  if (how.question == "mx") {
    add_name(names, how.name);
    for (const DnsRrset& rrset : how.rrsets) add_name(names, rrset.canonical);
  } else {
    add_name(names, host.name);
  }
  return names;
}

// What is wrong with the way to the host itself; nothing when it is secure.
bool is_secure_way(const DnsAnswer& how, DaneResult& result) {
  if (how.question.empty()) {
    result = result_of(Outcome::not_applicable, "it is an address, not a name");
    return false;
  }
  if (how.question != "mx") return true;  // the operator's own word
  const DnsSecurity security = how.rrsets.empty() ? DnsSecurity::insecure : how.rrsets.front().security;
  if (security == DnsSecurity::secure) return true;
  if (security == DnsSecurity::insecure) {
    result = result_of(Outcome::not_applicable,
                       "the MX lookup of " + printable(how.name, kNameLimitBytes) + " is insecure");
  } else {
    result = failed(how.rrsets.front());
  }
  return false;
}

}  // namespace

std::string_view outcome_word(DaneResult::Outcome outcome) {
  const auto found = std::find_if(kOutcomeWords.begin(), kOutcomeWords.end(),
                                  [&](const auto& word) { return word.first == outcome; });
  return found->second;
}

DaneLead dane_lead(const DnsAnswer& answer, const DnsHost& host) {
  DaneLead lead;
  lead.how.question = answer.question;
  lead.how.name = answer.name;
  lead.how.outcome = answer.outcome;
  lead.how.rrsets = answer.rrsets;
  for (DnsRrset& rrset : lead.how.rrsets) rrset.data.clear();
  lead.host = host;
  return lead;
}

DaneResult dane_of_records(const std::vector<std::string>& data, std::vector<std::string> names) {
  DaneResult result;
  result.names = std::move(names);
  result.records = judge_tlsa(data);
  for (const JudgedTlsa& judged : result.records) {
    if (judged.unusable.empty()) result.tlsa.push_back(judged.record);
  }
  const bool any = !result.tlsa.empty();
  result.outcome = any ? Outcome::usable : Outcome::unusable;
  result.why = any ? "TLSA records that can be used" : "TLSA records, none of which can be used";
  return result;
}

DaneResult find_dane(const DnsAnswer& how, const DnsHost& host, uint16_t port, const DaneLookup& look_up) {
  DaneResult result;
  if (!is_secure_way(how, result)) return result;
  const Bases bases = base_domains(host, look_up);
  if (bases.names.empty()) return bases.result;
  bool absent = false;
  for (const std::string& base : bases.names) {
    const std::string name = "_" + std::to_string(port) + "._tcp." + base;
    const DnsRrset tlsa = look_up("TLSA", name);
    if (is_temporary(tlsa.outcome)) {
      result = failed(tlsa);
      result.tlsa_name = name;
      return result;
    }
    result.tlsa_name = name;
    if (tlsa.security != DnsSecurity::secure) continue;
    if (tlsa.outcome == DnsOutcome::found && !tlsa.data.empty()) {
      result = dane_of_records(tlsa.data, reference_names(base, how, host));
      result.tlsa_name = name;
      return result;
    }
    absent = true;
  }
  result.outcome = absent ? Outcome::absent : Outcome::not_applicable;
  result.why = absent ? "there are no TLSA records, securely" : "its TLSA lookup is insecure";
  return result;
}

DaneResult look_up_dane(const std::string& dns_program, const DnsAnswer& mx_answer, const DnsHost& host,
                        uint16_t port, int64_t deadline_milliseconds) {
  return find_dane(mx_answer, host, port, [&](std::string_view type, const std::string& name) {
    std::vector<std::string> question = {"tlsa", name};
    if (type != "TLSA") question = {"any", std::string(type), name};
    Result<DnsAnswer> answer = ask_dns(dns_program, question, deadline_milliseconds);
    if (answer && answer->rrsets.size() == 1) return std::move(answer->rrsets.front());
    DnsRrset none;
    none.type = type;
    none.name = name;
    if (answer && answer->outcome == DnsOutcome::invalid) {
      // Longer than a name can be: nothing can stand there.
      none.security = DnsSecurity::secure;
      none.outcome = DnsOutcome::nxdomain;
      return none;
    }
    none.why = answer ? "postern-dnsq gave no RRset" : answer.failure().text;
    return none;
  });
}

}  // namespace postern
