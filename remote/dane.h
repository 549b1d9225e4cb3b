// DANE for one mail host (RFC 7672): from how the host was found to what its TLS has to be. The table of
// outcomes stands in doc/INTERNALS.md.
//
// DNS errors never lead to less security: a lookup that failed or is bogus makes the host one that is not
// used for now. Only what is proven to be insecure, or proven to be absent, leads to mail without DANE.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/dns_answer.h"
#include "remote/tlsa.h"

namespace postern {

struct DaneResult {
  enum class Outcome {
    not_applicable,  // the way to it is insecure, or it is an address: no DANE
    usable,          // TLS whose certificate fits `tlsa`
    unusable,        // there are records, none of them can be used: TLS, the certificate is not looked at
    absent,          // securely no records: no DANE
    failed           // nothing is known: skip this host, defer when none is left
  } outcome = Outcome::not_applicable;
  std::vector<Tlsa> tlsa;          // those that count
  std::vector<std::string> names;  // reference identifiers; the first, the TLSA base domain, is the SNI
  std::string why = "not asked";   // in words, for the log and postern-dane
  std::string tlsa_name{};  // "_25._tcp.mx.example.net": where the records were found, or looked for last
  std::vector<JudgedTlsa> records{};  // all that stand there
};

std::string_view outcome_word(DaneResult::Outcome outcome);

// How a host was found, kept with each of its addresses until it is tried.
struct DaneLead {
  // The answer to mx without its hosts and data; or to ip, for a host that the operator has named
  // (control/smtproutes). An empty question: the host is an address.
  DnsAnswer how;
  DnsHost host;
};
DaneLead dane_lead(const DnsAnswer& answer, const DnsHost& host);

// One RRset, TYPE and NAME; "failed" when there is no answer.
using DaneLookup = std::function<DnsRrset(std::string_view type, const std::string& name)>;

// The whole decision: the same answers give the same result.
DaneResult find_dane(const DnsAnswer& how, const DnsHost& host, uint16_t port, const DaneLookup& look_up);
// The last step of it, for an RRset that is secure and found.
DaneResult dane_of_records(const std::vector<std::string>& data, std::vector<std::string> names);

// The same with postern-dnsq (control/dnsq) as what is asked. No question is asked where the MX records or
// the host's addresses are insecure.
DaneResult look_up_dane(const std::string& dns_program, const DnsAnswer& mx_answer, const DnsHost& host,
                        uint16_t port, int64_t deadline_milliseconds);

}  // namespace postern
