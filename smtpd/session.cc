#include "smtpd/session.h"

#include "lib/log.h"
#include "lib/mid.h"
#include "lib/text.h"
#include "smtpd/path.h"

namespace postern::smtpd {

Session::Session(const Settings& settings, Rules rules, Environment environment, Client& client,
                 EventLog& log, Submit submit)
    : settings_(settings),
      rules_(std::move(rules)),
      environment_(std::move(environment)),
      client_(client),
      log_(log),
      submit_(std::move(submit)) {
  environment_.set("POSTERN_ICID", std::to_string(settings.icid));
  environment_.set("POSTERN_LISTENER", settings.listener);
  // UCSPI-TLS: set by whoever has made TLS before us.
  tls_ = !environment_.get_or("SSL_PROTOCOL", "").empty();
}

void Session::run() {
  log_.connected(settings_);
  client_.say("220 " + settings_.greeting + " ESMTP\r\n");
  while (!over_) read_command();
  abort_transaction();
  log_.closed();
}

void Session::read_command() {
  const CommandLine line = client_.next_line();
  switch (line.kind) {
    case LineKind::command:
      return obey(parse_command(line.text));
    case LineKind::bare_line_feed:
      return refuse(Reply::bare_line_feed);
    case LineKind::too_long:
      return refuse(Reply::line_too_long);
    case LineKind::endless:
      return close(Reply::endless_input);
    case LineKind::no_more:
      return input_ended(line.came);
  }
}

void Session::obey(const Command& command) {
  // RFC 2920: only after EHLO, and then only in groups that such a command ends. Whoever does not wait where
  // everybody must does not listen, or somebody else's bytes stand behind his. A chunk follows its BDAT at
  // once.
  const bool may = command.verb == Verb::quit || command.verb == Verb::not_smtp || command.verb == Verb::bdat;
  if (client_.is_ahead() && !may && (!extended_ || ends_a_group(command.verb)))
    return close(Reply::improper_pipelining);
  const bool bare = command.argument.empty();
  switch (command.verb) {
    case Verb::ehlo:
      return greet(true, command.argument);
    case Verb::helo:
      return greet(false, command.argument);
    case Verb::mail:
      return mail(command.argument);
    case Verb::rcpt:
      return rcpt(command.argument);
    case Verb::data:
      return bare ? data() : refuse(Reply::takes_no_argument);
    case Verb::bdat:
      return bdat(command.argument);
    case Verb::auth:
      return auth(command.argument);
    case Verb::rset:
      return bare ? reset() : refuse(Reply::takes_no_argument);
    case Verb::noop:
      return idle_command(Reply::ok);
    case Verb::quit:
      return bare ? close(Reply::goodbye) : refuse(Reply::takes_no_argument);
    case Verb::vrfy:
    case Verb::expn:
      return verify(command);
    case Verb::help:
      return idle_command(Reply::help);
    case Verb::not_implemented:
      return refuse(Reply::not_implemented);
    case Verb::not_smtp:
      return close(Reply::not_smtp);
    case Verb::forbidden_bytes:
      return refuse(Reply::forbidden_bytes);
    case Verb::unknown:
      return refuse(Reply::unknown_command);
  }
}

void Session::greet(bool extended, std::string_view name) {
  if (!is_greeting_name(name)) return refuse(name.empty() ? Reply::needs_argument : Reply::bad_greeting);
  if (too_many_commands()) return;
  abort_transaction();
  helo_ = name;
  extended_ = extended;
  if (!extended) return client_.say("250 " + settings_.me + "\r\n");
  const uint64_t* limit = need(rules_.message_limit_bytes, read_message_limit);
  if (limit == nullptr) return;
  std::string lines = "250-" + settings_.me + "\r\n";
  for (const char* extension :
       {"PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "CHUNKING", "DSN"}) {
    lines.append("250-").append(extension).append("\r\n");
  }
  if (auth_is_offered()) {
    const std::string* mechanisms = need(rules_.auth_mechanisms, read_auth_mechanisms);
    if (mechanisms == nullptr) return;
    lines += "250-AUTH " + *mechanisms + "\r\n";
  }
  lines += "250 SIZE";
  if (*limit != 0) lines += " " + std::to_string(*limit);
  client_.say(lines + "\r\n");
}

void Session::mail(std::string_view argument) {
  if (helo_.empty()) return refuse(Reply::not_greeted);
  if (transaction_.mid != 0) return refuse(Reply::nested_mail);
  if (settings_.policy.auth == AuthUse::required && user_.empty()) return refuse(Reply::auth_required);
  MailArgument mail = parse_mail(argument);
  if (mail.reply != Reply::sender_ok) return refuse(mail.reply);
  // RFC 4954, 5: read, and no more. That a client vouches for another's submitter is not believed.
  if (mail.has_auth && !auth_is_offered()) return refuse(Reply::unknown_parameter);
  const uint64_t* limit = need(rules_.message_limit_bytes, read_message_limit);
  if (limit == nullptr) return;
  if (*limit != 0 && mail.size_bytes > *limit) {
    log_.refused(smtp_reply(Reply::too_large));
    return idle_command(Reply::too_large);
  }
  const SenderRules* senders = need(rules_.senders, read_sender_rules);
  if (senders == nullptr) return;
  if (!senders->welcomes(mail.sender)) {
    log_.refused(smtp_reply(Reply::sender_not_welcome));
    return refuse(Reply::sender_not_welcome);
  }
  if (settings_.policy.check_user && !user_.empty()) {
    const SendAs* table = need(rules_.send_as, read_send_as);
    if (table == nullptr || !accepts(check_sender(*table, user_, mail.sender))) return;
  }
  transaction_.mid = make_mid();
  transaction_.envelope = {.sender = std::move(mail.sender),
                           .recipients = {},
                           .ret = std::move(mail.ret),
                           .envid = std::move(mail.envid),
                           .body = std::move(mail.body),
                           .smtputf8 = mail.smtputf8};
  log_.message_started(transaction_.mid, transaction_.envelope.sender);
  answer(Reply::sender_ok);
}

void Session::rcpt(std::string_view argument) {
  if (transaction_.mid == 0) return refuse(helo_.empty() ? Reply::not_greeted : Reply::needs_mail);
  if (transaction_.message) return refuse(Reply::not_in_chunks);
  RcptArgument rcpt = parse_rcpt(argument, transaction_.envelope.smtputf8);
  if (rcpt.reply != Reply::recipient_ok) return refuse(rcpt.reply);
  const std::optional<Reply> verdict = judge_recipient(rcpt.recipient);
  if (!verdict) return;
  // RFC 5321, 4.5.1: postmaster without a domain is that of this host.
  if (rcpt.recipient.find('@') == std::string::npos) rcpt.recipient += "@" + lower(settings_.me);
  if (*verdict != Reply::recipient_ok) {
    log_.recipient_refused(transaction_.mid, rcpt.recipient, smtp_reply(*verdict));
    return refuse(*verdict);
  }
  rcpt.recipient += settings_.relay_suffix.value_or("");
  if (const Reply limit = limit_reached(rcpt.recipient, rules_.recipients->limit);
      limit != Reply::recipient_ok) {
    log_.recipient_refused(transaction_.mid, rcpt.recipient, smtp_reply(limit));
    return answer(limit);  // a limit of ours: a long list is no error of the client's
  }
  log_.recipient(transaction_.mid, transaction_.envelope.recipients.size(), rcpt.recipient);
  transaction_.envelope_bytes += rcpt.recipient.size() + rcpt.notify.size() + rcpt.orcpt.size() + 4;
  transaction_.envelope.recipients.push_back({.address = std::move(rcpt.recipient),
                                              .notify = std::move(rcpt.notify),
                                              .orcpt = std::move(rcpt.orcpt)});
  answer(Reply::recipient_ok);
}

std::optional<Reply> Session::judge_recipient(std::string_view recipient) {
  RecipientRules* rules = need(rules_.recipients, read_recipient_rules);
  if (rules == nullptr) return std::nullopt;
  if (settings_.relay_suffix || !user_.empty() || recipient.find('@') == std::string_view::npos)
    return Reply::recipient_ok;
  Result<bool> ours = rules->is_ours(domain_of(recipient));
  if (!ours) {
    not_configured(ours.failure());
    return std::nullopt;
  }
  if (!*ours) return Reply::relaying_denied;
  return has_route_in_it(local_part_of(recipient)) ? Reply::routed_address : Reply::recipient_ok;
}

Reply Session::limit_reached(std::string_view recipient, uint64_t recipient_limit) const {
  if (transaction_.envelope.recipients.size() >= recipient_limit) return Reply::too_many_recipients;
  // Half of what an envelope may hold, so that the sender, the extras and the record form always have room.
  const size_t bytes = transaction_.envelope_bytes + recipient.size();
  return bytes > kEnvelopeLimitBytes / 2 ? Reply::envelope_too_large : Reply::recipient_ok;
}

// Whether a mailbox exists is not said here: that would be a list for spammers (RFC 5321, 7.3).
void Session::verify(const Command& command) {
  if (command.argument.empty()) return refuse(Reply::needs_argument);
  if (!is_plain_or_announced_utf8(command.argument)) return refuse(Reply::needs_smtputf8);
  if (command.verb == Verb::expn) return refuse(Reply::not_implemented);
  idle_command(Reply::cannot_verify);
}

void Session::reset() {
  abort_transaction();
  idle_command(Reply::reset_ok);
}

void Session::end_transaction() {
  transaction_ = Transaction{};
  idle_commands_ = 0;
}

void Session::abort_transaction() {
  if (transaction_.mid == 0) return;
  log_.aborted(transaction_.mid);
  transaction_ = Transaction{};
}

template <typename T>
T* Session::need(std::optional<T>& rule, Result<T> (*read)(const Settings&)) {
  if (rule) return &*rule;
  Result<T> found = read(settings_);
  if (!found) {
    not_configured(found.failure());
    return nullptr;
  }
  rule = std::move(*found);
  return &*rule;
}
template MessageLimits* Session::need(std::optional<MessageLimits>&,
                                      Result<MessageLimits> (*)(const Settings&));
template uint64_t* Session::need(std::optional<uint64_t>&, Result<uint64_t> (*)(const Settings&));
template std::string* Session::need(std::optional<std::string>&, Result<std::string> (*)(const Settings&));
template SendAs* Session::need(std::optional<SendAs>&, Result<SendAs> (*)(const Settings&));

void Session::not_configured(const Failure& failure) {
  log_critical("go on with a conversation", failure.text);
  close(Reply::not_configured);
}

void Session::refuse(const SmtpReply& reply) {
  const uint64_t* limit = need(rules_.error_limit, read_error_limit);
  if (limit == nullptr) return;
  if (++errors_ >= *limit) return close(Reply::too_many_errors);
  client_.say(reply_line(reply));
}

bool Session::accepts(const Decision& decision) {
  if (decision.passes()) return true;
  if (decision.kind == Decision::Kind::close) {
    close(decision.reply);
  } else {
    log_.refused(decision.reply);
    refuse(decision.reply);
  }
  return false;
}

void Session::idle_command(Reply reply) {
  if (!too_many_commands()) answer(reply);
}

// The first one is never one too many, so most conversations need not know the limit.
bool Session::too_many_commands() {
  if (++idle_commands_ == 1) return false;
  const uint64_t* limit = need(rules_.command_limit, read_command_limit);
  if (limit != nullptr && idle_commands_ > *limit) close(Reply::too_many_commands);
  return over_;
}

void Session::close(const SmtpReply& last_words) {
  over_ = true;
  client_.say(reply_line(last_words));
  log_.refused(last_words);
  client_.hang_up();
}

void Session::close(Reply last_words) {
  if (last_words != Reply::goodbye) return close(smtp_reply(last_words));
  over_ = true;
  answer(last_words);
  client_.flush();
}

void Session::input_ended(Came came) {
  over_ = true;
  if (came == Came::idle_too_long) return close(Reply::idle_too_long);
  if (came == Came::session_too_long) return close(Reply::session_too_long);
}

}  // namespace postern::smtpd
