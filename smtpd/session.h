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
#include "receipt/decision.h"
#include "receipt/sender_spf.h"
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

  // The message itself, session_message.cc.
  bool begin_message(Framing framing);
  void refuse_chunk(Reply reply, uint64_t bytes);
  void end_message();
  void refuse_message(Reply reply);
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
    std::string spf{};                       // POSTERN_SPF; empty: not asked
    std::string spf_field{};                 // Received-SPF
  };

  const Settings& settings_;
  Rules rules_;
  Environment environment_;
  Client& client_;
  EventLog& log_;
  Submit submit_;
  Transaction transaction_;
  SpfVerdict spf_;  // of the sender that was asked about last
  SpfQuestion spf_question_;
  std::string helo_;
  bool extended_ = false;
  bool over_ = false;
  uint64_t errors_ = 0;         // since the last accepted message
  uint64_t idle_commands_ = 0;  // since the last message: those that bring none nearer
};

}  // namespace postern::smtpd
