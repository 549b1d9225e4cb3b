// The operator's lists of who is not welcome, and bounce verification.
#include "receipt/bounce_tag.h"
#include "smtpd/session.h"

namespace postern::smtpd {

bool Session::welcomes(AccessList list, std::string_view value) {
  const Decision decision = check_access(list, value, rules_.ask);
  if (!decision.passes()) log_.refused(decision);
  return accepts(decision);
}

bool Session::verifies_bounce(std::string& recipient, std::string& mark) {
  const std::string said = recipient;
  BounceVerification verification(settings_.policy, settings_.relay_suffix.has_value(), rules_.ask);
  const Decision decision = verification.verify(recipient, transaction_.envelope.sender);
  mark = verification.mark();
  if (!mark.empty()) log_.invalid_bounce(transaction_.mid, said, "marked");
  if (decision.passes()) return true;
  if (decision.reply.permanent()) log_.invalid_bounce(transaction_.mid, said, "rejected");
  log_.recipient_refused(transaction_.mid, said, decision.reply);
  refuse(decision.reply);
  return false;
}

}  // namespace postern::smtpd
