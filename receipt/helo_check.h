// What a client calls itself at HELO (policy parameters check_helo and helo_dns).
#pragma once

#include <string>
#include <string_view>

#include "lib/dns_answer.h"
#include "receipt/decision.h"
#include "receipt/mail_flow_policy.h"

namespace postern {

struct HeloFacts {
  std::string name;       // as it was given
  std::string client_ip;  // empty or not an address where it is not known
  std::string local_ip;   // of ours, that the client has connected to
  std::string me;         // our own name
};

// Refused with 550 5.7.1: a name without a domain, an address that is not in brackets, our own name or
// address from somebody else; with helo_dns a name that does not exist in DNS. No answer from DNS is no
// reason.
Decision check_helo(const MailFlowPolicy& policy, const HeloFacts& facts, const AskDns& ask);

}  // namespace postern
