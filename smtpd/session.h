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
#include "lib/submit.h"
#include "receipt/access_question.h"
#include "receipt/decision.h"
#include "smtpd/client.h"
#include "smtpd/command.h"
#include "smtpd/envelope_command.h"
#include "smtpd/event_log.h"
#include "smtpd/message.h"
#include "smtpd/replies.h"
#include "smtpd/settings.h"
#include "smtpd/xclient.h"

namespace postern::smtpd {

// Hands a message on; nothing but its exit code 0 makes a 250.
using Submit = std::function<QueueAnswer(int message, const Envelope&, const Environment&)>;

class Session {
 public:
  // `rules` may be filled in; what is missing is read from control/ when it is needed.
  Session(const Settings& settings, Rules rules, Environment environment, Client& client, EventLog& log,
          Submit submit);
  void run();
  // XCLIENT has said it before the greeting.
  void known_as(std::string_view helo, bool extended);
  // run() came back because the connection is another client's now: a new Session goes on with it.
  [[nodiscard]] const std::optional<XclientRequest>& new_client() const { return new_client_; }

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
  void xclient(std::string_view argument);           // XCLIENT

  // The message itself, session_message.cc.
  bool begin_message(Framing framing);
  void refuse_chunk(Reply reply, uint64_t bytes);
  void end_message();
  void refuse_message(Reply reply);
  void hand_over(int message);  // to the queue program, whose answer is the reply
  bool read_all(const Reading& reading, Reply otherwise);
  std::string trace_fields() const;
  std::string received_line() const;
  Environment message_environment() const;

  // Reply::recipient_ok, or why it is refused; nothing when the rules cannot be read.
  std::optional<Reply> judge_recipient(std::string_view recipient);
  // session_access.cc. False: it has been answered.
  bool verifies_bounce(std::string& recipient, std::string& mark);
  bool welcomes(AccessList list, std::string_view value);
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
    std::string bounce_mark;  // why it is no bounce of ours, where the policy takes it all the same
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
  std::optional<XclientRequest> new_client_;
  uint64_t errors_ = 0;         // since the last accepted message
  uint64_t idle_commands_ = 0;  // since the last message: those that bring none nearer
};

}  // namespace postern::smtpd
