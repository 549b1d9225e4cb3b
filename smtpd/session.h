// The SMTP conversation with one client, from the greeting to the end. It knows the connection and the
// program behind it only by what it is given, so a test can stand at both ends.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "lib/envelope.h"
#include "lib/environment.h"
#include "lib/secret.h"
#include "lib/submit.h"
#include "receipt/access_question.h"
#include "receipt/client_notes.h"
#include "receipt/decision.h"
#include "receipt/rates.h"
#include "receipt/recipient.h"
#include "receipt/sender_spf.h"
#include "receipt/spoof.h"
#include "smtpd/ask_auth.h"
#include "smtpd/client.h"
#include "smtpd/command.h"
#include "smtpd/envelope_command.h"
#include "smtpd/event_log.h"
#include "smtpd/message.h"
#include "smtpd/replies.h"
#include "smtpd/settings.h"
#include "smtpd/tls_layer.h"
#include "smtpd/xclient.h"

namespace postern::smtpd {

// Hands a message on; nothing but its exit code 0 makes a 250.
using Submit = std::function<QueueAnswer(int message, const Envelope&, const Environment&)>;

class Session {
 public:
  // `rules` may be filled in; what is missing is read from control/ when it is needed.
  Session(const Settings& settings, Rules rules, Environment environment, Client& client, EventLog& log,
          Submit submit, TlsLayer tls_layer = {});
  // For tests: another in authq's place.
  void ask_instead(AskAuth ask) { ask_auth_ = std::move(ask); }
  void run();
  // XCLIENT has said it before the greeting.
  void known_as(std::string_view helo, bool extended);
  // run() came back because the connection is another client's now: a new Session goes on with it.
  [[nodiscard]] const std::optional<XclientRequest>& new_client() const { return new_client_; }
  [[nodiscard]] const std::optional<TlsFacts>& tls() const { return tls_; }

 private:
  bool begin();  // false: the client is refused; session_begin.cc
  std::string banner() const;
  void read_command();
  void obey(const Command& command);
  void greet(bool extended, std::string_view name);  // EHLO, HELO
  void mail(std::string_view argument);              // MAIL
  void rcpt(std::string_view argument);              // RCPT
  void data();                                       // DATA
  void bdat(std::string_view argument);              // BDAT
  void verify(const Command& command);               // VRFY, EXPN
  void reset();                                      // RSET
  void starttls(const Command& command);             // STARTTLS
  void xclient(std::string_view argument);           // XCLIENT

  // TLS, session_tls.cc.
  [[nodiscard]] bool offers_tls() const;
  void begin_tls();
  void tls_is(TlsFacts facts);
  bool lacks_tls();  // where the policy wants it: has been answered
  [[nodiscard]] std::string tls_comment() const;

  // What the client and the sender are asked, session_sender.cc. False: it has been answered.
  bool speaks_in_turn();  // greet_delay
  bool greets_well(std::string_view name);
  bool parse_sender(std::string_view argument, MailArgument& mail);
  bool accepts_sender(std::string_view sender);
  bool passes_spf(std::string_view sender);
  void note_spf();
  bool complete(std::string& address, Reply otherwise);  // with the default domain
  void slow_down();                                      // tarpit
  bool is_trusted() const;                               // a relay client, or one that has logged in
  std::optional<AskDns> dns(int64_t milliseconds);       // nothing: the connection has been closed

  // AUTH, session_auth.cc.
  void auth(std::string_view argument);
  [[nodiscard]] std::string user() const;  // who has authenticated, here or before us; empty: nobody
  void forget_user();                      // who has done so here
  [[nodiscard]] bool auth_is_offered() const;
  void exchange(const std::string& mechanism, std::optional<Secret> response);
  std::optional<Secret> ask_client(std::string_view challenge);
  void authenticated(const std::string& name, const std::string& mechanism);
  void authentication_failed(Reply reply, const std::string& name, const std::string& mechanism,
                             int64_t delay);
  void exchange_failed(Reply reply);
  bool may_send_as(std::string_view sender);  // else it has been answered
  Decision judge_authors();

  // The operator's lists and the tags of bounces, session_access.cc. False: it has been answered.
  bool is_welcome(AccessList list, std::string_view value);
  bool welcomes_name(std::string_view name);
  bool welcomes_proxied_name();  // that XCLIENT said
  Decision verify_bounce(std::string& recipient, std::string_view sender);

  // The message itself, session_message.cc.
  bool begin_message(Framing framing);
  void refuse_chunk(Reply reply, uint64_t bytes);
  void end_message();
  void refuse_message(Reply reply);
  void refuse_message(const SmtpReply& reply);
  void hand_over(int message);  // to the queue program, whose answer is the reply
  bool read_all(const Reading& reading, Reply otherwise);
  std::string trace_fields() const;
  std::string received_line() const;
  Environment message_environment() const;

  // REJECT that speaks late, so that the log has who was to get mail; whoever authenticates meanwhile is let
  // in.
  [[nodiscard]] bool refuses_later() const;
  void refuse_later_mail(std::string_view sender);
  void refuse_later_rcpt(std::string_view recipient);
  bool has_message_left();  // of those that the policy gives a connection; else it has been answered

  // The recipients, session_recipient.cc.
  // Nothing when the rules cannot be read: the session has been closed.
  std::optional<RecipientVerdict> judge_recipient(std::string_view recipient);
  RecipientHooks recipient_hooks();
  void refuse_recipient(const RecipientVerdict& verdict);
  void take_recipient(RcptArgument rcpt, const RecipientVerdict& verdict);
  bool has_recipient_left(std::string_view recipient);  // of those that a message may have; else answered
  void beyond_limit(std::string_view recipient, const SmtpReply& reply);
  [[nodiscard]] Reply limit_reached(const RecipientVerdict& verdict) const;
  void end_transaction();
  void abort_transaction();

  // The rule, read now if it was not yet. Nothing: it cannot be read, and the session has been closed.
  template <typename T>
  T* need(std::optional<T>& rule, Result<T> (*read)(const Settings&));
  void not_configured(const Failure& failure);

  void answer(Reply reply) { client_.say(reply_line(smtp_reply(reply))); }
  void refuse(const SmtpReply& reply);  // an error of the client
  void refuse(Reply reply) { refuse(smtp_reply(reply)); }
  // True where the step lets it pass; else it has been answered, and logged.
  bool accepts(const Decision& decision);
  // A limit of ours on how much: a long list is no error of the client's. But it is to end some time.
  void refuse_by_limit(const SmtpReply& reply);
  // The same as accepts() for such a limit.
  bool is_within(const Decision& limit);
  bool recipient_is_within(const Decision& limit, std::string_view recipient);
  void show(const Decision& decision) const {
    if (rules_.trial) rules_.trial->decided(decision);
  }
  void idle_command(Reply reply);
  bool too_many_commands();
  void close(const SmtpReply& last_words);
  void close(Reply last_words);
  void input_ended(Came came);

  struct Transaction {
    uint64_t mid = 0;  // 0: none is open
    Envelope envelope;
    size_t envelope_bytes = 0;
    size_t taken_recipients = 0;             // RCPT commands: each may have come to several, or to none
    std::optional<MessageReceiver> message;  // when it comes in chunks: what has come
    std::string spf{};                       // POSTERN_SPF; empty: not asked
    std::string spf_field{};                 // Received-SPF
    std::string bounce_mark{};               // why it is no bounce of ours, where the policy takes it
    bool only_for_replies = false;           // each recipient taken takes automatic replies alone, else none
  };

  const Settings& settings_;
  Rules rules_;
  Environment environment_;
  Client& client_;
  EventLog& log_;
  Submit submit_;
  TlsLayer tls_layer_;
  std::optional<TlsFacts> tls_;  // the connection is encrypted
  Rates rates_;
  ClientNotes notes_;
  Transaction transaction_;
  std::optional<RecipientChecks> recipient_checks_;  // from the first recipient on
  SpfVerdict spf_;                                   // of the sender that was asked about last
  SpfQuestion spf_question_;
  std::string helo_;
  bool extended_ = false;
  bool over_ = false;
  AskAuth ask_auth_ = ask_authq;
  bool logged_in_ = false;  // by AUTH, in this conversation
  uint64_t auth_failures_ = 0;
  bool refused_mail_ = false;    // MAIL was taken only so that RCPT can be refused
  bool helo_unchecked_ = false;  // XCLIENT said it
  std::string bounce_mark_;      // of the recipient that was verified last, and the next one
  bool must_be_reply_ = false;
  std::optional<XclientRequest> new_client_;
  uint64_t messages_ = 0;       // that came to their end, taken or not
  uint64_t errors_ = 0;         // since the last accepted message
  uint64_t beyond_limits_ = 0;  // since then
  uint64_t idle_commands_ = 0;  // since the last message: those that bring none nearer
};

}  // namespace postern::smtpd
