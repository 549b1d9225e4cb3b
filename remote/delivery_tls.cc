// The part of a delivery that makes its connection what the TLS policy wants.
#include "lib/text.h"
#include "remote/delivery.h"
#include "remote/delivery_log.h"
#include "remote/tls_context.h"
#include "remote/tls_findings.h"
#include "remote/tls_policy.h"

namespace postern {

// What a connection to the target must be; begins its record for the reports.
TlsDemand Deliverer::find_demand(const std::string& domain, const Target& target, StsOfDelivery& sts,
                                 DaneAnswers& dane) {
  session_record_.reset();
  if (is_local_socket(target)) return demand_for_local_socket();
  TlsFindings findings;
  if (asks_dane(way_.destination.table_tls)) findings.dane = &dane.of(target);
  // A route is the operator's word, and goes before what the domain says of its mail hosts.
  if (is_found_by_mx(target)) {
    add_sts(sts, way_.destination, target.host, findings);
    session_record_ = begin_tls_record(sts, way_.destination, domain, findings);
  }
  return demand_for(way_.destination, policy_domain(target, domain), target.host, findings);
}

// Makes of a session that has been greeted what the demand wants. What need not be TLS falls back to plain
// over a new connection, once.
Result<void> Deliverer::secure(const DeliveryOrder& order, const Target& target, const TlsDemand& demand) {
  session_->tls.wanted = demand.need;
  session_->tls.why = demand.why;
  if (demand.need == TlsNeed::none) return {};
  const bool may_be_plain = demand.need == TlsNeed::opportunistic || demand.report_only;
  const bool offered = session_->extensions().starttls;
  Result<void> done = try_tls(demand);
  // What it said in plain text stays out of the log where nobody has asked for TLS.
  if (offered || demand.need != TlsNeed::opportunistic) note_outcome(order, session_->tls);
  const std::string dcid = dcid_text(*session_);
  const std::string domain = printable(order.domain, 255);
  if (demand.report_only && !session_->tls.fault.type.empty() && demand.need != TlsNeed::opportunistic)
    log_.info(dcid + " TLS report: would have deferred for " + domain + ": " + session_->tls.fault.type);
  if (done) return done;
  // A client certificate that cannot be read is our own fault: whoever named it wants it shown.
  const bool own_fault = done.failure().status == "4.3.5";
  if (!may_be_plain || own_fault) {
    log_.info(dcid + " TLS deferring " + rid_list(order) + " for " + domain);
    return done;
  }
  if (!offered) return {};
  log_.info(dcid + " TLS falls back to plain text over a new connection");
  const TlsOutcome failed = session_->tls;
  hang_up();
  Result<void> greeted = greet(order, target);
  if (!greeted) return greeted;
  session_->tls = failed;
  session_->tls.did = TlsOutcome::Did::plain;
  return {};
}

// STARTTLS on session_, whose outcome then says it all.
Result<void> Deliverer::try_tls(const TlsDemand& demand) {
  TlsOutcome& outcome = session_->tls;
  if (!session_->extensions().starttls) {
    outcome.fault = {"starttls-not-supported", target_text(session_->target()) + " does not offer STARTTLS"};
    if (demand.need != TlsNeed::opportunistic && !demand.report_only) outcome.did = TlsOutcome::Did::failed;
    return temporary("TLS is needed: " + outcome.fault.text, 0, "4.7.4");
  }
  if (!tls_) {
    Result<std::unique_ptr<TlsContext>> made = TlsContext::make(settings_);
    if (!made) {
      outcome.did = TlsOutcome::Did::failed;
      outcome.fault = {"validation-failure", made.failure().text};
      return made.failure();
    }
    tls_ = std::move(*made);
  }
  Result<void> started = session_->start_tls(*tls_, demand, settings_);
  if (session_->injected_bytes() > 0) {
    log_.info(dcid_text(*session_) + " TLS: threw away " + std::to_string(session_->injected_bytes()) +
              " bytes that came in plain text behind the reply to STARTTLS");
  }
  return started;
}

// A host that the policy forbids before anything is asked of it.
Result<void> Deliverer::refuse(const DeliveryOrder& order, const Target& target, const TlsDemand& demand) {
  const std::string domain = printable(order.domain, 255);
  const std::string fault = demand.refusal_type + ": " + demand.refusal;
  if (demand.report_only) {
    log_.info("TLS report: would have passed over " + target_text(target) + " for " + domain + ": " + fault);
    return {};
  }
  log_.info("TLS deferring " + rid_list(order) + " for " + domain + ": " + target_text(target) +
            " is passed over: " + fault);
  return temporary(demand.refusal, 0, "4.7.5");
}

void Deliverer::note_outcome(const DeliveryOrder& order, const TlsOutcome& outcome) {
  const std::string domain = printable(order.domain, 255);
  if (outcome.encrypted()) log_.info(dcid_text(*session_) + " " + tls_success_text(outcome, domain));
  if (!outcome.fault.type.empty()) log_.info(dcid_text(*session_) + " " + tls_failure_text(outcome, domain));
}

void Deliverer::report_session(const Target& target, const TlsFault& fault) {
  if (!session_record_) return;
  TlsRecord record = *session_record_;
  end_tls_record(record, target, session_ ? session_->local_address() : "", fault);
  send_tls_record(settings_.tls_report_program, record);
}

}  // namespace postern
