// What the client and the envelope sender are asked before a message is taken: the greeting's delay, HELO,
// MAIL, the default domain, the tarpit. The decisions are made in receipt/; here they get what they need.
#include "lib/child.h"
#include "lib/log.h"
#include "receipt/custom_reply.h"
#include "receipt/default_domain.h"
#include "receipt/helo_check.h"
#include "receipt/sender_dns.h"
#include "smtpd/session.h"

namespace postern::smtpd {

namespace {

// A client gives MAIL five minutes (RFC 5321, 4.5.3.2.2); an evaluation of SPF must have 20 s (RFC
// 7208, 4.6.4).
constexpr int64_t kHeloMilliseconds = 10000;
constexpr int64_t kSenderMilliseconds = 20000;
constexpr int64_t kSpfMilliseconds = 20000;

}  // namespace

// RFC 5321, 3.1: the client waits for the greeting. Programs that send spam often do not.
bool Session::speaks_in_turn() {
  if (settings_.policy.greet_delay == 0) return true;
  log_.flush();
  if (!client_.talks_within(settings_.policy.greet_delay)) return true;
  close(Reply::early_talker);
  return false;
}

bool Session::is_trusted() const {
  return settings_.relay_suffix.has_value() || !user().empty();
}

std::optional<AskDns> Session::dns(int64_t milliseconds) {
  if (rules_.ask_dns) return rules_.ask_dns;
  const std::string* program = need(rules_.dns_program, read_dns_program);
  if (program == nullptr) return std::nullopt;
  return dns_asker(*program, now_milliseconds() + milliseconds);
}

bool Session::greets_well(std::string_view name) {
  if (!settings_.policy.check_helo || is_trusted()) return true;
  AskDns ask;
  if (settings_.policy.helo_dns) {
    std::optional<AskDns> found = dns(kHeloMilliseconds);
    if (!found) return false;
    ask = std::move(*found);
  }
  const HeloFacts facts{.name = std::string(name),
                        .client_ip = settings_.remote_ip,
                        .local_ip = settings_.local_ip,
                        .me = settings_.me};
  const Decision decision = check_helo(settings_.policy, facts, ask);
  if (!decision.passes()) log_.because(decision);
  return accepts(decision);
}

bool Session::parse_sender(std::string_view argument, MailArgument& mail) {
  const MailFlowPolicy& policy = settings_.policy;
  mail = parse_mail(argument, policy.allow_malformed ? Malformed::allow : Malformed::refuse);
  if (mail.reply == Reply::sender_ok) return true;
  if (mail.bare) return complete(mail.sender, mail.reply);
  SmtpReply reply = smtp_reply(mail.reply);
  if (mail.reply == Reply::bad_sender) {
    if (policy.verify_sender) reply.code = "553";
    reply = reply_of(policy.malformed, std::move(reply));
    log_.refused(reply);
  }
  refuse(reply);
  return false;
}

bool Session::complete(std::string& address, Reply otherwise) {
  const Result<std::optional<std::string>> domain = default_domain(settings_.listener);
  if (!domain) {
    not_configured(domain.failure());
    return false;
  }
  if (!domain->has_value()) {
    refuse(otherwise);
    return false;
  }
  address += "@" + **domain;
  return true;
}

bool Session::accepts_sender(std::string_view sender) {
  spf_ = {};
  const MailFlowPolicy& policy = settings_.policy;
  std::optional<Decision> exception;
  if (policy.exceptions && !sender.empty()) {
    SenderExceptions* table = need(rules_.exceptions, read_sender_exceptions);
    if (table == nullptr) return false;
    Result<std::optional<Decision>> found = check_sender_exceptions(policy, sender, *table);
    if (!found) {
      not_configured(found.failure());
      return false;
    }
    exception = std::move(*found);
    if (exception) log_.because(*exception);
    if (exception && !accepts(*exception)) return false;
  }
  if (is_trusted()) return true;
  if (policy.verify_sender && !exception && !sender.empty()) {
    const std::optional<AskDns> ask = dns(kSenderMilliseconds);
    if (!ask) return false;
    const Decision decision = check_sender_domain(policy, sender, *ask);
    if (!decision.passes()) log_.because(decision);
    if (!accepts(decision)) return false;
  }
  return passes_spf(sender);
}

bool Session::passes_spf(std::string_view sender) {
  if (settings_.policy.spf == SpfUse::off) return true;
  const std::optional<AskDns> ask = dns(kSpfMilliseconds);
  if (!ask) return false;
  spf_question_ = {
      .ip = settings_.remote_ip, .helo = helo_, .sender = std::string(sender), .receiver = settings_.me};
  spf_ = judge_spf(settings_.policy, spf_question_, *ask);
  if (!spf_.decision.passes()) log_.spf(0, spf_.answer, sender);
  return accepts(spf_.decision);
}

// What was found goes with the message: a line of the log, a field of the header, a variable.
void Session::note_spf() {
  log_.spf(transaction_.mid, spf_.answer, transaction_.envelope.sender);
  transaction_.spf = spf_variable(spf_.answer);
  transaction_.spf_field = received_spf_field(spf_.answer, spf_question_);
}

void Session::slow_down() {
  if (settings_.policy.tarpit != 0) client_.pause(settings_.policy.tarpit);
}

}  // namespace postern::smtpd
