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
#include "receipt/decision.h"
#include "receipt/spoof.h"
#include "smtpd/ask_auth.h"
#include "smtpd/client.h"
#include "smtpd/command.h"
#include "smtpd/envelope_command.h"
#include "smtpd/event_log.h"
#include "smtpd/message.h"
#include "smtpd/replies.h"
#include "smtpd/settings.h"

namespace postern::smtpd {

// Hands a message on; nothing but its exit code 0 makes a 250.
using Submit = std::function<QueueAnswer(int message, const Envelope&, const Environment&)>;

class Session {
 public:
  // `rules` may be filled in; what is missing is read from control/ when it is needed.
  Session(const Settings& settings, Rules rules, Environment environment, Client& client, EventLog& log,
          Submit submit);
  // For tests: another in authq's place.
  void ask_instead(AskAuth ask) { ask_auth_ = std::move(ask); }
  void run();

 private:
  void read_command();
  void obey(const Command& command);
  void greet(bool extended, std::string_view name);  // EHLO, HELO
  void mail(std::string_view argument);              // MAIL
  void rcpt(std::string_view argument);              // RCPT
  void data();                                       // DATA
  void bdat(std::string_view argument);              // BDAT
  void verify(const Command& command);               // VRFY, EXPN
  void reset();                                      // RSET

  // AUTH, session_auth.cc.
  void auth(std::string_view argument);
  [[nodiscard]] bool auth_is_offered() const;
  void exchange(const std::string& mechanism, std::optional<Secret> response);
  std::optional<Secret> ask_client(std::string_view challenge);
  void authenticated(const std::string& user, const std::string& mechanism);
  void authentication_failed(const std::string& user, const std::string& mechanism, uint64_t delay);
  Decision judge_authors();

  // The message itself, session_message.cc.
  bool begin_message(Framing framing);
  void refuse_chunk(Reply reply, uint64_t bytes);
  void end_message();
  void refuse_message(Reply reply);
  void refuse_message(const SmtpReply& reply);
  void hand_over(int message);  // to the queue program, whose answer is the reply
  bool read_all(const Reading& reading, Reply otherwise);
  std::string received_line() const;
  Environment message_environment() const;

  // Reply::recipient_ok, or why it is refused; nothing when the rules cannot be read.
  std::optional<Reply> judge_recipient(std::string_view recipient);
  Reply limit_reached(std::string_view recipient, uint64_t recipient_limit) const;
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
  void idle_command(Reply reply);
  bool too_many_commands();
  void close(const SmtpReply& last_words);
  void close(Reply last_words);
  void input_ended(Came came);

  struct Transaction {
    uint64_t mid = 0;  // 0: none is open
    Envelope envelope;
    size_t envelope_bytes = 0;
    std::optional<MessageReceiver> message;  // when it comes in chunks: what has come
  };

  const Settings& settings_;
  Rules rules_;
  Environment environment_;
  Client& client_;
  EventLog& log_;
  Submit submit_;
  Transaction transaction_;
  std::string helo_;
  bool extended_ = false;
  bool over_ = false;
  bool tls_ = false;  // the connection is under TLS
  AskAuth ask_auth_ = ask_authq;
  std::string user_;  // who has authenticated; empty: nobody
  uint64_t auth_failures_ = 0;
  uint64_t errors_ = 0;         // since the last accepted message
  uint64_t idle_commands_ = 0;  // since the last message: those that bring none nearer
};

}  // namespace postern::smtpd
