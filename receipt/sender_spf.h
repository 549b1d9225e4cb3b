// SPF at MAIL FROM (policy parameter spf): what becomes of the command, and what is said of it in the
// message.
#pragma once

#include <string>

#include "lib/spf.h"
#include "receipt/decision.h"
#include "receipt/mail_flow_policy.h"

namespace postern {

struct SpfVerdict {
  Decision decision;
  bool checked = false;  // else the rest says nothing
  SpfAnswer answer{};
};

// reject: a "fail" is refused with 550 5.7.23, a "temperror" with 451 4.7.24 (RFC 7372). All else passes.
SpfVerdict judge_spf(const MailFlowPolicy& policy, const SpfQuestion& question, const AskDns& ask);

// "Received-SPF: ..." with LF, to stand above our Received field (RFC 7208, 9.1).
std::string received_spf_field(const SpfAnswer& answer, const SpfQuestion& question);
// For POSTERN_SPF: "pass mailfrom example.org".
std::string spf_variable(const SpfAnswer& answer);

}  // namespace postern
