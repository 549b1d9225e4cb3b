// The operator's lists of who is not welcome, and bounce verification.
#include "receipt/bounce_tag.h"
#include "smtpd/session.h"

namespace postern::smtpd {

bool Session::is_welcome(AccessList list, std::string_view value) {
  const Decision decision = check_access(list, value, rules_.ask);
  if (!decision.passes()) log_.because(decision);
  return accepts(decision);
}

// NOBADHELO: hosts whose name does not count, as in qregex. Nor does that of mail programs, which call
// themselves anything: who relays, and who is to log in before his mail is taken.
bool Session::welcomes_name(std::string_view name) {
  const bool counts =
      !is_trusted() && settings_.policy.auth != AuthUse::required && !environment_.get("NOBADHELO");
  if (counts && !is_welcome(AccessList::helo, name)) return false;
  return greets_well(name);
}

bool Session::welcomes_proxied_name() {
  if (helo_unchecked_ && !welcomes_name(helo_)) return false;
  helo_unchecked_ = false;
  return true;
}

Decision Session::verify_bounce(std::string& recipient, std::string_view sender) {
  BounceVerification verification(settings_.policy, is_trusted(), rules_.ask);
  Decision decision = verification.verify(recipient, sender);
  bounce_mark_ = verification.mark();
  must_be_reply_ = verification.must_be_reply();
  return decision;
}

}  // namespace postern::smtpd
