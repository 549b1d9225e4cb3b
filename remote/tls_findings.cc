#include "remote/tls_findings.h"

#include "lib/text.h"

namespace postern {

namespace {

std::string tlsa_text(const Tlsa& tlsa) {
  return std::to_string(tlsa.usage) + " " + std::to_string(tlsa.selector) + " " +
         std::to_string(tlsa.matching) + " " + hexadecimal(tlsa.data);
}

}  // namespace

void add_sts(StsOfDelivery& sts, const Destination& destination, const std::string& host,
             TlsFindings& findings) {
  if (!looks_at_sts(destination, findings)) return;
  const StsAnswer& answer = sts.answer();
  findings.sts_pending = answer.outcome == StsAnswer::Outcome::pending;
  if (answer.outcome != StsAnswer::Outcome::found) return;
  findings.sts = &answer.policy;
  findings.sts_names_host = sts_matches(answer.policy, host);
}

std::optional<TlsRecord> begin_tls_record(StsOfDelivery& sts, const Destination& destination,
                                          const std::string& domain, const TlsFindings& findings) {
  const bool by_policy =
      destination.table_tls == TlsLevel::dane || destination.table_tls == TlsLevel::dane_only;
  if (!by_policy || !is_policy_domain(domain)) return std::nullopt;
  if (findings.sts_pending) return std::nullopt;  // there is no session to tell of yet
  if (looks_at_sts(destination, findings)) return tls_record_of(sts.answer());
  TlsRecord record{.domain = lower(domain)};
  if (findings.dane == nullptr || findings.dane->outcome == DaneResult::Outcome::not_applicable ||
      findings.dane->outcome == DaneResult::Outcome::absent)
    return record;
  record.type = "tlsa";
  for (const Tlsa& tlsa : findings.dane->tlsa) record.policy.push_back(tlsa_text(tlsa));
  return record;
}

void end_tls_record(TlsRecord& record, const Target& target, const std::string& own_address,
                    const TlsFault& fault) {
  record.host = target.host;
  record.receiving = target.address;
  record.sending = own_address;
  if (!record.result.empty() || fault.type.empty()) return;
  record.result = fault.type;
  record.reason = fault.text;
}

}  // namespace postern
