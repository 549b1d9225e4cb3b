#include "remote/tls_outcome.h"

#include "lib/text.h"

namespace postern {

namespace {

std::string policy_text(const TlsOutcome& outcome, std::string_view domain) {
  return " for " + printable(domain, 255) + " policy " + outcome.why;
}

}  // namespace

std::string tls_success_text(const TlsOutcome& outcome, std::string_view domain) {
  std::string text = "TLS success protocol " + outcome.protocol + " cipher " + outcome.cipher;
  text += policy_text(outcome, domain);
  if (outcome.did == TlsOutcome::Did::authenticated) text += " verified";
  if (outcome.resumed) text += " resumed";
  return text;
}

std::string tls_failure_text(const TlsOutcome& outcome, std::string_view domain) {
  return "TLS failed: " + outcome.fault.type + ": " + outcome.fault.text + policy_text(outcome, domain);
}

bool connection_fits(const Destination& made_for, const TlsOutcome& outcome, const Destination& wanted) {
  if (outcome.did == TlsOutcome::Did::failed || made_for.certificate != wanted.certificate) return false;
  if (made_for.table_tls == wanted.table_tls && made_for.tls_report == wanted.tls_report) return true;
  switch (wanted.table_tls) {
    case TlsLevel::off:
      return !outcome.encrypted();
    case TlsLevel::may:
    case TlsLevel::encrypt:
      return outcome.encrypted();
    default:
      return false;
  }
}

}  // namespace postern
