// What the client's policy says to it before its first command, and what it may not do later.
#include "lib/text.h"
#include "receipt/custom_reply.h"
#include "smtpd/session.h"

namespace postern::smtpd {

namespace {

// What a client is told whose policy says REJECT.
SmtpReply refusal(const MailFlowPolicy& policy, const SenderGroup& group) {
  return reply_of(
      policy.reject,
      {.code = "554",
       .status = "5.7.1",
       .text = group.list_text.empty() ? "mail from your address is not accepted here" : group.list_text});
}

}  // namespace

bool Session::begin() {
  const MailFlowPolicy& policy = settings_.policy;
  if (policy.rule == AccessRule::tcp_refuse) {
    over_ = true;
    client_.refuse();
  } else if (policy.rule == AccessRule::reject && !policy.delayed_reject) {
    close(refusal(policy, settings_.sender_group));
  } else if (refuses_later()) {
    log_.delayed_rejection("continuing session for recipient logging", settings_.remote_ip);
  }
  return !over_;
}

// RFC 5321, 4.2: the host's name comes first, unless the operator wants none.
std::string Session::banner() const {
  const MailFlowPolicy& policy = settings_.policy;
  const std::string code = policy.banner.code == 0 ? "220" : std::to_string(policy.banner.code);
  std::string text = policy.banner_host.empty() ? settings_.greeting : policy.banner_host;
  if (policy.banner_host == "none") text.clear();
  text.append(text.empty() ? "" : " ").append(policy.banner.text.empty() ? "ESMTP" : policy.banner.text);
  return code + " " + text + "\r\n";
}

bool Session::refuses_later() const {
  return settings_.policy.rule == AccessRule::reject && user().empty();
}

void Session::refuse_later_mail(std::string_view sender) {
  if (refused_mail_) return refuse(Reply::nested_mail);
  refused_mail_ = true;
  log_.delayed_rejection("Message from: <" + printable(sender) + ">", settings_.remote_ip);
  answer(Reply::sender_ok);
}

void Session::refuse_later_rcpt(std::string_view recipient) {
  log_.delayed_rejection("Message recipient: <" + printable(recipient) + ">", settings_.remote_ip);
  refuse(refusal(settings_.policy, settings_.sender_group));
}

bool Session::has_message_left() {
  const MailFlowPolicy& policy = settings_.policy;
  if (policy.max_messages_per_connection == 0 || messages_ < policy.max_messages_per_connection) return true;
  const SmtpReply reply = reply_of(policy.message_limit, smtp_reply(Reply::too_many_messages));
  if (reply.code == "421") {
    close(reply);
  } else {
    log_.refused(reply);
    refuse(reply);
  }
  return false;
}

}  // namespace postern::smtpd
