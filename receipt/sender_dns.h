// Verification of envelope senders: is the sender's domain one that could take an answer? (policy parameters
// verify_sender, malformed, no_such_domain, unresolvable)
#pragma once

#include <string_view>

#include "lib/dns_answer.h"
#include "lib/sender_exceptions.h"
#include "receipt/decision.h"
#include "receipt/mail_flow_policy.h"

namespace postern {

// What control/senderexceptions says of the sender. Nothing: nothing, so the other checks decide.
Result<std::optional<Decision>> check_sender_exceptions(const MailFlowPolicy& policy, std::string_view sender,
                                                        SenderExceptions& exceptions);

// The domain in DNS: it exists, and has hosts that take mail. The null reverse-path and address literals have
// nothing to ask for. No answer is 451 4.4.3, never "no such domain".
Decision check_sender_domain(const MailFlowPolicy& policy, std::string_view sender, const AskDns& ask);

}  // namespace postern
