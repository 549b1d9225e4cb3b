// RCPT: what the steps of receipt/recipient make of a recipient, and how it comes into the envelope.
#include "lib/text.h"
#include "lib/utf8.h"
#include "lib/xtext.h"
#include "receipt/bounce_tag.h"
#include "smtpd/session.h"

namespace postern::smtpd {

std::optional<RecipientVerdict> Session::judge_recipient(std::string_view recipient) {
  if (need(rules_.recipients, read_recipient_rules) == nullptr) return std::nullopt;
  if (!recipient_checks_) {
    Result<RecipientChecks> opened = RecipientChecks::open({.me = settings_.me,
                                                            .default_domain = {},
                                                            .listener = settings_.listener,
                                                            .relays = is_trusted(),
                                                            .environment = environment_},
                                                           recipient_hooks());
    if (!opened) {
      not_configured(opened.failure());
      return std::nullopt;
    }
    recipient_checks_.emplace(std::move(*opened));
  }
  recipient_checks_->client_relays(is_trusted());
  Result<RecipientVerdict> verdict = recipient_checks_->judge(recipient, transaction_.envelope.sender);
  if (verdict) return std::move(*verdict);
  not_configured(verdict.failure());
  return std::nullopt;
}

RecipientHooks Session::recipient_hooks() {
  return {.is_ours = [this](std::string_view domain) { return rules_.recipients->is_ours(domain); },
          .verify_bounce = [this](std::string& address,
                                  std::string_view sender) { return verify_bounce(address, sender); },
          .welcome =
              [this](std::string_view address) {
                return check_access(AccessList::recipient, address, rules_.ask);
              },
          .rates = [this](std::string_view sender) { return rates_.recipient_left(sender); },
          .ask = rules_.ask};
}

void Session::refuse_recipient(const RecipientVerdict& verdict) {
  const Decision& refusal = verdict.steps.back();
  if (refusal.step == kRatesStep) {
    log_.limited(refusal.why);
    return refusal.kind == Decision::Kind::close ? close(refusal.reply)
                                                 : beyond_limit(verdict.said, refusal.reply);
  }
  log_.recipient_refused(transaction_.mid, verdict.said, refusal.reply);
  log_.recipient_decided(transaction_.mid, verdict.said, refusal);
  if (refusal.step == kBounceTagStep && refusal.reply.permanent())
    log_.invalid_bounce(transaction_.mid, verdict.said, "rejected");
  if (verdict.is_no_recipient()) {
    // A bounce may come back to an address that was forged, and who asks us to relay has not named a
    // recipient of ours.
    if (!transaction_.envelope.sender.empty() && !refusal.relaying) notes_.recipient_refused();
    if (!is_within(rates_.invalid_recipient())) return;
  }
  if (refusal.kind == Decision::Kind::close) return close(refusal.reply);
  refuse(refusal.reply);
}

void Session::take_recipient(RcptArgument rcpt, const RecipientVerdict& verdict) {
  if (const Reply limit = limit_reached(verdict); limit != Reply::recipient_ok)
    return beyond_limit(verdict.said, smtp_reply(limit));
  if (!verdict.bypasses_rates &&
      !recipient_is_within(rates_.recipient(transaction_.envelope.sender), verdict.said))
    return;
  ++transaction_.taken_recipients;
  // RFC 3461, 5.2.1 and 5.2.7: whoever is told of its fate knows the address that the client said.
  if (verdict.rewritten && rcpt.orcpt.empty() && !has_8bit_byte(verdict.said))
    rcpt.orcpt = "rfc822;" + encode_xtext(verdict.said);
  for (const Decision& step : verdict.steps) {
    if (step.rewrites) log_.recipient_rewritten(transaction_.mid, verdict.said, step.why);
  }
  if (!bounce_mark_.empty()) {
    log_.invalid_bounce(transaction_.mid, verdict.said, "marked");
    transaction_.bounce_mark = bounce_mark_;
    transaction_.only_for_replies = must_be_reply_;
  }
  if (verdict.dropped) log_.recipient_dropped(transaction_.mid, verdict.said, verdict.steps.back().why);
  for (const std::string& recipient : verdict.recipients) {
    const std::string address = recipient + settings_.relay_suffix.value_or("");
    log_.recipient(transaction_.mid, transaction_.envelope.recipients.size(), address);
    transaction_.envelope_bytes += address.size() + rcpt.notify.size() + rcpt.orcpt.size() + 4;
    transaction_.envelope.recipients.push_back(
        {.address = address, .notify = rcpt.notify, .orcpt = rcpt.orcpt});
  }
  if (verdict.accepted) return client_.say(reply_line(*verdict.accepted));
  answer(Reply::recipient_ok);
}

// Before anybody is asked about it.
bool Session::has_recipient_left(std::string_view recipient) {
  const RecipientRules* rules = need(rules_.recipients, read_recipient_rules);
  if (rules == nullptr) return false;
  if (transaction_.taken_recipients < rules->limit) return true;
  beyond_limit(recipient, smtp_reply(Reply::too_many_recipients));
  return false;
}

void Session::beyond_limit(std::string_view recipient, const SmtpReply& reply) {
  log_.recipient_refused(transaction_.mid, recipient, reply);
  refuse_by_limit(reply);
}

Reply Session::limit_reached(const RecipientVerdict& verdict) const {
  // What the message must be is asked for all its recipients: those that take anything come by themselves.
  if (transaction_.taken_recipients != 0 && transaction_.only_for_replies != must_be_reply_)
    return Reply::too_many_recipients;
  size_t bytes = transaction_.envelope_bytes;
  for (const std::string& recipient : verdict.recipients) bytes += recipient.size();
  const size_t recipients = transaction_.envelope.recipients.size() + verdict.recipients.size();
  if (recipients > kRecipientLimit) return Reply::too_many_recipients;
  // Half of what an envelope may hold, so that the sender, the extras and the record form always have room.
  return bytes > kEnvelopeLimitBytes / 2 ? Reply::envelope_too_large : Reply::recipient_ok;
}

}  // namespace postern::smtpd
