// postern-smtpd - hold the SMTP conversation with one client, and hand each message to the queue program.
//
//   fd 0 in    from the client         fd 1 out   to the client         fd 2 out   the event log
//   env        TCPREMOTEIP, TCPREMOTEHOST, TCPLOCALIP (UCSPI), RELAYCLIENT, DATABYTES, QMAILQUEUE,
//              POSTERN_LISTENER, POSTERN_ICID, POSTERN_HOME
//   control    me, smtpgreeting, rcpthosts, locals, databytes, minfreememory, timeoutsmtpd, sessionseconds,
//              maxrcpt
//   user       posternd
//   exit       0 the conversation is over, 111 it could not begin
//
// A message is answered with 250 after the queue program has exited 0, and never else.

#include <unistd.h>

#include "lib/child.h"
#include "lib/envelope.h"
#include "lib/log.h"
#include "lib/mid.h"
#include "lib/program.h"
#include "lib/submit.h"
#include "lib/text.h"
#include "smtpd/client.h"
#include "smtpd/command.h"
#include "smtpd/connections.h"
#include "smtpd/event_log.h"
#include "smtpd/message.h"
#include "smtpd/replies.h"
#include "smtpd/settings.h"

namespace postern::smtpd {
namespace {

constexpr unsigned kErrorLimit = 20;         // since the last accepted message
constexpr unsigned kIdleCommandLimit = 100;  // commands since the last message that bring none nearer
constexpr int64_t kQueueMilliseconds = 240000;
constexpr unsigned kAlarmMarginSeconds =
    900;  // beyond every deadline of ours: something hangs where nothing may

class Session {
 public:
  Session(const Settings& settings, Environment environment);
  void run();

 private:
  void read_command();
  void obey(const Command& command);
  void greet(bool extended, std::string_view name);  // EHLO, HELO
  void mail(std::string_view argument);              // MAIL
  void rcpt(std::string_view argument);              // RCPT
  void data();                                       // DATA
  void receive();                                    //   the message itself
  void hand_over(const Message& message);            //   to the queue program, whose answer is the reply
  void reset();                                      // RSET

  Reply fault_in_recipient(const RcptArgument& rcpt) const;
  std::string received_line() const;
  Environment message_environment() const;
  void end_transaction();
  void abort_transaction();

  void answer(Reply reply) { client_.say(reply_line(smtp_reply(reply))); }
  void refuse(Reply reply);  // an error of the client
  void idle_command(Reply reply);
  void close(Reply last_words);
  void input_ended(Came came);

  struct Transaction {
    uint64_t mid = 0;  // 0: none is open
    Envelope envelope;
    size_t envelope_bytes = 0;
  };

  const Settings& settings_;
  Environment environment_;
  EventLog log_;
  Client client_;
  Transaction transaction_;
  std::string helo_;
  bool extended_ = false;
  bool over_ = false;
  unsigned errors_ = 0;
  unsigned idle_commands_ = 0;
};

Session::Session(const Settings& settings, Environment environment)
    : settings_(settings),
      environment_(std::move(environment)),
      log_(settings.icid),
      client_(
          0, 1,
          {.idle_milliseconds = static_cast<int64_t>(settings.idle_seconds) * 1000,
           .session_deadline = now_milliseconds() + static_cast<int64_t>(settings.session_seconds) * 1000},
          [this] { log_.flush(); }) {
  environment_.set("POSTERN_ICID", std::to_string(settings.icid));
  environment_.set("POSTERN_LISTENER", settings.listener);
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
    case Verb::rset:
      return bare ? reset() : refuse(Reply::takes_no_argument);
    case Verb::noop:
      return idle_command(Reply::ok);
    case Verb::quit:
      return bare ? close(Reply::goodbye) : refuse(Reply::takes_no_argument);
    case Verb::vrfy:
      return bare ? refuse(Reply::needs_argument) : idle_command(Reply::cannot_verify);
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
  if (++idle_commands_ > kIdleCommandLimit) return close(Reply::too_many_commands);
  abort_transaction();
  helo_ = name;
  extended_ = extended;
  if (!extended) return client_.say("250 " + settings_.me + "\r\n");
  std::string lines = "250-" + settings_.me + "\r\n";
  lines += "250-PIPELINING\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250 SIZE";
  if (settings_.message_limit_bytes != 0) lines += " " + std::to_string(settings_.message_limit_bytes);
  client_.say(lines + "\r\n");
}

void Session::mail(std::string_view argument) {
  if (helo_.empty()) return refuse(Reply::not_greeted);
  if (transaction_.mid != 0) return refuse(Reply::nested_mail);
  const MailArgument mail = parse_mail(argument);
  if (mail.reply != Reply::sender_ok) return refuse(mail.reply);
  if (settings_.message_limit_bytes != 0 && mail.size_bytes > settings_.message_limit_bytes) {
    log_.refused(smtp_reply(Reply::too_large));
    return idle_command(Reply::too_large);
  }
  transaction_.mid = make_mid();
  transaction_.envelope.sender = mail.sender;
  transaction_.envelope.body = mail.body;
  log_.message_started(transaction_.mid, mail.sender);
  answer(Reply::sender_ok);
}

void Session::rcpt(std::string_view argument) {
  if (transaction_.mid == 0) return refuse(helo_.empty() ? Reply::not_greeted : Reply::needs_mail);
  RcptArgument rcpt = parse_rcpt(argument);
  if (rcpt.reply != Reply::recipient_ok) return refuse(rcpt.reply);
  // RFC 5321, 4.5.1: postmaster without a domain is that of this host.
  const bool postmaster = rcpt.recipient.find('@') == std::string::npos;
  if (postmaster) rcpt.recipient += "@" + lower(settings_.me);
  if (!postmaster && !settings_.relay_suffix && !settings_.is_ours(domain_of(rcpt.recipient))) {
    log_.recipient_refused(transaction_.mid, rcpt.recipient, smtp_reply(Reply::relaying_denied));
    return refuse(Reply::relaying_denied);
  }
  rcpt.recipient += settings_.relay_suffix.value_or("");
  if (const Reply fault = fault_in_recipient(rcpt); fault != Reply::recipient_ok) {
    log_.recipient_refused(transaction_.mid, rcpt.recipient, smtp_reply(fault));
    return answer(fault);  // a limit of ours: a long list is no error of the client's
  }
  log_.recipient(transaction_.mid, transaction_.envelope.recipients.size(), rcpt.recipient);
  transaction_.envelope_bytes += rcpt.recipient.size() + 2;
  transaction_.envelope.recipients.push_back(
      {.address = std::move(rcpt.recipient), .notify = {}, .orcpt = {}});
  answer(Reply::recipient_ok);
}

Reply Session::fault_in_recipient(const RcptArgument& rcpt) const {
  if (transaction_.envelope.recipients.size() >= settings_.recipient_limit) return Reply::too_many_recipients;
  // Half of what an envelope may hold, so that the sender and the record form always have room.
  const size_t bytes = transaction_.envelope_bytes + rcpt.recipient.size();
  return bytes > kEnvelopeLimitBytes / 2 ? Reply::envelope_too_large : Reply::recipient_ok;
}

void Session::data() {
  const bool none = transaction_.envelope.recipients.empty();
  if (transaction_.mid == 0 || none) {
    const bool early = !client_.buffered().empty();
    refuse(transaction_.mid != 0 ? Reply::no_recipients
           : helo_.empty()       ? Reply::not_greeted
                                 : Reply::needs_mail);
    // RFC 2920: DATA is the last command of its group. What stands behind it without having waited for 354 is
    // a message, and a message must not be read as commands.
    if (early && !over_) close(Reply::early_data);
    return;
  }
  answer(Reply::go_ahead);
  receive();
}

void Session::receive() {
  const Message message = receive_message(
      client_, received_line(),
      {.message_bytes = settings_.message_limit_bytes, .least_free_bytes = settings_.least_free_mib << 20});
  if (message.came != Came::bytes) return input_ended(message.came);
  log_.fields(transaction_.mid, message.header);
  if (message.reply == Reply::ok) return hand_over(message);
  log_.refused(transaction_.mid, smtp_reply(message.reply));
  end_transaction();
  if (!message.ended) {
    over_ = true;
    answer(message.reply);
    return client_.hang_up();
  }
  if (message.reply == Reply::bare_line_ends) return refuse(message.reply);
  answer(message.reply);
}

void Session::hand_over(const Message& message) {
  const QueueAnswer queued = submit(settings_.queue_program, message.file.get(), transaction_.envelope,
                                    message_environment(), now_milliseconds() + kQueueMilliseconds);
  SmtpReply reply = queue_reply(queued);
  if (reply.accepted()) {
    reply.text += " " + std::to_string(transaction_.mid);
    log_.ready(transaction_.mid, message.size_bytes, transaction_.envelope.sender);
    errors_ = 0;
  } else {
    log_.refused(transaction_.mid, reply);
  }
  log_.flush();
  client_.say(reply_line(reply));
  end_transaction();
}

void Session::reset() {
  abort_transaction();
  idle_command(Reply::reset_ok);
}

// RFC 5321, 4.4. The name that the client gave is printable without syntax; the others were made so.
std::string Session::received_line() const {
  const bool ipv6 = settings_.remote_ip.find(':') != std::string::npos;
  return "Received: from " + helo_ + " (" + settings_.remote_host + " [" + (ipv6 ? "IPv6:" : "") +
         settings_.remote_ip + "])\n  by " + settings_.me + " with " + (extended_ ? "ESMTP" : "SMTP") +
         " id " + std::to_string(transaction_.mid) + ";\n  " + rfc5322_date(now_microseconds() / 1000000) +
         "\n";
}

Environment Session::message_environment() const {
  Environment environment = environment_;
  environment.set("POSTERN_MID", std::to_string(transaction_.mid));
  environment.set("POSTERN_HELO", helo_);
  return environment;
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

void Session::refuse(Reply reply) {
  if (++errors_ >= kErrorLimit) return close(Reply::too_many_errors);
  answer(reply);
}

void Session::idle_command(Reply reply) {
  if (++idle_commands_ > kIdleCommandLimit) return close(Reply::too_many_commands);
  answer(reply);
}

void Session::close(Reply last_words) {
  over_ = true;
  answer(last_words);
  if (last_words == Reply::goodbye) return client_.flush();
  log_.refused(smtp_reply(last_words));
  client_.hang_up();
}

void Session::input_ended(Came came) {
  over_ = true;
  if (came == Came::idle_too_long) return close(Reply::idle_too_long);
  if (came == Came::session_too_long) return close(Reply::session_too_long);
}

int converse() {
  Environment environment = Environment::of_process();
  Result<Settings> settings = read_settings(environment);
  if (!settings) {
    log_critical("begin a conversation", settings.failure().text);
    (void)write_all(1, reply_line(smtp_reply(Reply::not_configured)), "write to the client");
    return 111;
  }
  ::alarm(static_cast<unsigned>(settings->session_seconds + settings->idle_seconds) + kAlarmMarginSeconds);
  Session session(*settings, std::move(environment));
  session.run();
  return 0;
}

int run(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--serve") return serve_connections(argv, converse);
  if (argc > 1) {
    log_critical("start", "usage: postern-smtpd [--serve]");
    return 100;
  }
  return converse();
}

}  // namespace
}  // namespace postern::smtpd

int main(int argc, char** argv) {
  return postern::run_program("postern-smtpd", {.no_memory = 111, .bug = 111}, postern::smtpd::run, argc,
                              argv);
}
