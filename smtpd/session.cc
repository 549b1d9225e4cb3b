#include "smtpd/session.h"

#include "lib/log.h"
#include "lib/mid.h"
#include "lib/text.h"
#include "smtpd/path.h"

namespace postern::smtpd {

namespace {

// RFC 5321, 4.5.3.1.10: a client sends on behind 452 and comes back with the rest, and most send at most
// 1000 recipients at once. Whoever has been told so often without a message hears nothing.
constexpr uint64_t kMostBeyondLimits = 1000;

}  // namespace

Session::Session(const Settings& settings, Rules rules, Environment environment, Client& client,
                 EventLog& log, Submit submit, TlsLayer tls_layer)
    : settings_(settings),
      rules_(std::move(rules)),
      environment_(std::move(environment)),
      client_(client),
      log_(log),
      submit_(std::move(submit)),
      tls_layer_(std::move(tls_layer)),
      rates_(settings.policy, settings.remote_ip, rules_.trial ? rules_.trial->ask_rates : AskRates{}),
      notes_(settings.policy, settings.remote_ip) {
  environment_.set("POSTERN_ICID", std::to_string(settings.icid));
  environment_.set("POSTERN_LISTENER", settings.listener);
}

void Session::run() {
  log_.connected(settings_);
  if (tls_layer_.begun) {
    log_.tls_begun(*tls_layer_.begun);
    tls_is(*tls_layer_.begun);
  }
  // A handshake is dear: whoever is sent away gets none.
  if (begin() && is_within(rates_.connection())) {
    if (tls_layer_.immediate) begin_tls();
    if (!over_ && speaks_in_turn()) client_.say(banner());
  }
  while (!over_) read_command();
  abort_transaction();
  if (!rules_.trial && environment_.get_or("POSTERN_NOTES", "") != "off") notes_.send();
  log_.closed();
}

void Session::read_command() {
  const CommandLine line = client_.next_line();
  switch (line.kind) {
    case LineKind::command:
      if (rules_.trial) rules_.trial->command(line.text);
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
  // once, and what stands behind STARTTLS is thrown away.
  const bool may = command.verb == Verb::quit || command.verb == Verb::not_smtp ||
                   command.verb == Verb::bdat || command.verb == Verb::starttls;
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
    case Verb::xclient:
      return xclient(command.argument);
    case Verb::help:
      return idle_command(Reply::help);
    case Verb::starttls:
      return starttls(command);
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
  if (too_many_commands() || !welcomes_name(name)) return;
  abort_transaction();
  helo_ = name;
  extended_ = extended;
  helo_unchecked_ = false;
  if (!extended) return client_.say("250 " + settings_.me + "\r\n");
  const uint64_t* limit = need(rules_.message_limit_bytes, read_message_limit);
  if (limit == nullptr) return;
  std::string lines = "250-" + settings_.me + "\r\n";
  for (const char* extension :
       {"PIPELINING", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES", "CHUNKING", "DSN"}) {
    lines.append("250-").append(extension).append("\r\n");
  }
  if (offers_tls()) lines += "250-STARTTLS\r\n";
  if (auth_is_offered()) {
    const std::string* mechanisms = need(rules_.auth_mechanisms, read_auth_mechanisms);
    if (mechanisms == nullptr) return;
    lines += "250-AUTH " + *mechanisms + "\r\n";
  }
  if (settings_.may_xclient) lines.append("250-").append(kXclientOffer).append("\r\n");
  lines += "250 SIZE";
  if (*limit != 0) lines += " " + std::to_string(*limit);
  client_.say(lines + "\r\n");
}

void Session::mail(std::string_view argument) {
  if (helo_.empty()) return refuse(Reply::not_greeted);
  if (lacks_tls() || !welcomes_proxied_name()) return;
  if (transaction_.mid != 0) return refuse(Reply::nested_mail);
  if (settings_.policy.auth == AuthUse::required && user().empty()) return refuse(Reply::auth_required);
  slow_down();
  MailArgument mail;
  if (!parse_sender(argument, mail)) return;
  // RFC 4954, 5: read, and no more. That a client vouches for another's submitter is not believed.
  if (mail.has_auth && !auth_is_offered()) return refuse(Reply::unknown_parameter);
  if (refuses_later()) return refuse_later_mail(mail.sender);
  if (!has_message_left()) return;
  const uint64_t* limit = need(rules_.message_limit_bytes, read_message_limit);
  if (limit == nullptr) return;
  if (*limit != 0 && mail.size_bytes > *limit) {
    log_.refused(smtp_reply(Reply::too_large));
    return idle_command(Reply::too_large);
  }
  if (!is_welcome(AccessList::sender, mail.sender)) return;
  if (!may_send_as(mail.sender) || !accepts_sender(mail.sender)) return;
  if (!is_within(rates_.message(user()))) return;
  refused_mail_ = false;  // who has logged in since says MAIL again
  transaction_.mid = make_mid();
  transaction_.envelope = {.sender = std::move(mail.sender),
                           .recipients = {},
                           .ret = std::move(mail.ret),
                           .envid = std::move(mail.envid),
                           .body = std::move(mail.body),
                           .smtputf8 = mail.smtputf8};
  log_.message_started(transaction_.mid, transaction_.envelope.sender);
  if (spf_.checked) note_spf();
  answer(Reply::sender_ok);
}

void Session::rcpt(std::string_view argument) {
  if (transaction_.mid == 0 && !refused_mail_)
    return refuse(helo_.empty() ? Reply::not_greeted : Reply::needs_mail);
  if (transaction_.message) return refuse(Reply::not_in_chunks);
  slow_down();
  RcptArgument rcpt = parse_rcpt(argument, transaction_.envelope.smtputf8);
  if (rcpt.bare) {
    if (!complete(rcpt.recipient, rcpt.reply)) return;
  } else if (rcpt.reply != Reply::recipient_ok) {
    return refuse(rcpt.reply);
  }
  if (refused_mail_) return refuse_later_rcpt(rcpt.recipient);
  if (!has_recipient_left(rcpt.recipient)) return;
  const std::optional<RecipientVerdict> verdict = judge_recipient(rcpt.recipient);
  if (!verdict) return;
  if (rules_.trial) rules_.trial->judged(*verdict);
  if (!verdict->passes()) return refuse_recipient(*verdict);
  take_recipient(std::move(rcpt), *verdict);
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
  ++messages_;
}

void Session::abort_transaction() {
  refused_mail_ = false;
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
template RecipientRules* Session::need(std::optional<RecipientRules>&,
                                       Result<RecipientRules> (*)(const Settings&));
template std::string* Session::need(std::optional<std::string>&, Result<std::string> (*)(const Settings&));
template SenderExceptions* Session::need(std::optional<SenderExceptions>&,
                                         Result<SenderExceptions> (*)(const Settings&));
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
  show(decision);
  if (decision.passes()) return true;
  if (decision.kind == Decision::Kind::close) {
    close(decision.reply);
  } else {
    log_.refused(decision.reply);
    refuse(decision.reply);
  }
  return false;
}

void Session::refuse_by_limit(const SmtpReply& reply) {
  if (++beyond_limits_ > kMostBeyondLimits) return close(Reply::too_much_beyond_limits);
  client_.say(reply_line(reply));
}

bool Session::is_within(const Decision& limit) {
  show(limit);
  if (limit.passes()) return true;
  log_.limited(limit.why);
  if (limit.kind == Decision::Kind::close) {
    close(limit.reply);
  } else {
    log_.refused(limit.reply);
    refuse_by_limit(limit.reply);
  }
  return false;
}

bool Session::recipient_is_within(const Decision& limit, std::string_view recipient) {
  if (limit.kind != Decision::Kind::refuse) return is_within(limit);
  show(limit);
  log_.limited(limit.why);
  beyond_limit(recipient, limit.reply);
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
  log_.refused(last_words);
  if (tls_layer_.immediate && !tls_) return;  // it could not read them
  client_.say(reply_line(last_words));
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
