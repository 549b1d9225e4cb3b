// For one host of a delivery: what MTA-STS says of it beside DANE, and the record of a session with it that
// the daily reports are made of (RFC 8460).
#pragma once

#include <optional>
#include <string>

#include "lib/destinations.h"
#include "remote/smtp_session.h"
#include "remote/sts.h"
#include "remote/tls_outcome.h"
#include "remote/tls_policy.h"
#include "remote/tlsrpt_record.h"

namespace postern {

// Asks `sts` where it matters, that is, where findings.dane (which is filled in before) does not decide. What
// is found in `sts` has to live as long as `findings`.
void add_sts(StsOfDelivery& sts, const Destination& destination, const std::string& host,
             TlsFindings& findings);

// The record of a session with the host, without how it ended. Nothing where the operator's word decides and
// not a policy of the domain.
std::optional<TlsRecord> begin_tls_record(StsOfDelivery& sts, const Destination& destination,
                                          const std::string& domain, const TlsFindings& findings);
// `fault` is empty where the session was what the policy wants. A policy that could not be fetched stays the
// record's result: the session says nothing of it.
void end_tls_record(TlsRecord& record, const Target& target, const std::string& own_address,
                    const TlsFault& fault);

}  // namespace postern
