#include "remote/smtp_transaction.h"

#include <algorithm>

#include "lib/local_part.h"
#include "lib/text.h"
#include "remote/message_body.h"

namespace postern {

namespace {

constexpr size_t kGroupBytes =
    8192;  // of pipelined commands whose replies are not read yet: far below any socket buffer
constexpr size_t kInputBytes = 32768;   // of the message at a time
constexpr size_t kOutputBytes = 65536;  // what that may become

bool is_8bit_byte(char c) {
  return static_cast<unsigned char>(c) > 0x7f;
}

bool is_8bit(std::string_view text) {
  return std::any_of(text.begin(), text.end(), is_8bit_byte);
}

class Transaction {
 public:
  Transaction(SmtpSession& session, const OutgoingMessage& message)
      : session_(session), message_(message), recipients_(message.recipients.size()) {
    end_.results.resize(message.recipients.size());
  }

  TransactionEnd run() {
    if (!check_size() || !check_body() || !check_addresses()) return std::move(end_);
    ++session_.messages;
    if (!(session_.extensions().pipelining ? send_envelope_pipelined() : send_envelope()))
      return std::move(end_);
    if (data_started_) send_data();
    return std::move(end_);
  }

 private:
  struct RecipientStep {
    std::string command;  // "RCPT TO:<a@example.org>\r\n"; empty: not to be sent
    bool accepted = false;
    bool answered = false;  // its result stands
  };

  bool refuse_all(const Failure& failure) {
    end_.results = all_failed(recipients_.size(), failure);
    return false;
  }

  // What this server cannot take, another one may: a backup host's EHLO is not the last word.
  bool hand_back(const Failure& failure) {
    end_.trouble = failure;
    end_.results.clear();
    return false;
  }

  bool check_size() {
    const uint64_t limit = session_.extensions().size_limit;
    if (limit == 0 || message_.size <= limit) return true;
    return hand_back(permanent("the message has " + std::to_string(message_.size) + " bytes, and " +
                                   target_text(session_.target()) + " takes " + std::to_string(limit),
                               0, "5.3.4"));
  }

  bool check_body() {
    if (!message_.declared_8bit || session_.extensions().eight_bit_mime) return true;
    Result<bool> found = has_8bit(message_.fd, message_.size);
    if (!found) return refuse_all(found.failure());
    if (!*found) return true;
    return hand_back(permanent(target_text(session_.target()) + " does not take 8BITMIME", 0, "5.6.3"));
  }

  bool check_addresses() {
    const std::optional<std::string> sender = smtp_address(message_.sender);
    if (!sender) return refuse_all(permanent("the sender's address cannot be said in SMTP", 0, "5.1.7"));
    const bool utf8 = session_.extensions().smtputf8;
    const Failure no_utf8 = permanent(target_text(session_.target()) + " does not take SMTPUTF8", 0, "5.6.7");
    if (is_8bit(message_.sender) && !utf8) return hand_back(no_utf8);
    bool any_utf8 = is_8bit(message_.sender);
    bool any = false;
    size_t need_utf8 = 0;
    for (size_t i = 0; i < recipients_.size(); ++i) {
      const std::string& address = message_.recipients[i];
      const std::optional<std::string> recipient = smtp_address(address);
      if (!recipient || address.empty()) {
        answer(i, permanent("the address cannot be said in SMTP", 0, "5.1.3"));
      } else if (is_8bit(address) && !utf8) {
        // Beside others it waits: alone, in a later attempt, it can be handed back and be tried elsewhere.
        answer(i, temporary(no_utf8.text, 0, "4.6.7"));
        ++need_utf8;
      } else {
        any_utf8 = any_utf8 || is_8bit(address);
        recipients_[i].command = "RCPT TO:<" + *recipient + ">\r\n";
        any = true;
      }
    }
    if (need_utf8 == recipients_.size()) return hand_back(no_utf8);
    mail_ = session_.needs_reset ? "RSET\r\n" : "";
    mail_ += "MAIL FROM:<" + *sender + ">";
    if (session_.extensions().size) mail_ += " SIZE=" + std::to_string(message_.size);
    if (session_.extensions().eight_bit_mime && message_.declared_8bit) mail_ += " BODY=8BITMIME";
    if (any_utf8) mail_ += " SMTPUTF8";
    mail_ += "\r\n";
    return any;
  }

  void answer(size_t recipient, const Failure& failure) {
    recipients_[recipient].answered = true;
    end_.results[recipient] = {failure.permanent() ? 'h' : 's', failure_text(failure)};
  }

  // Every recipient that has no answer yet gets this one.
  void answer_others(char letter, const std::string& text) {
    for (size_t i = 0; i < recipients_.size(); ++i) {
      if (!recipients_[i].answered) end_.results[i] = {letter, text};
    }
  }

  // The connection failed us before the server said anything of the message that must stand.
  bool give_up(const Failure& failure) {
    session_.usable = false;
    const bool any_stands = std::any_of(recipients_.begin(), recipients_.end(),
                                        [](const RecipientStep& r) { return r.accepted || r.answered; });
    if (any_stands) {
      answer_others('s', failure_text(failure));
    } else {
      end_.trouble = failure;
      end_.results.clear();
    }
    return false;
  }

  // The reply to MAIL (and to RSET before it). False when the transaction ends here.
  bool take_mail_reply() {
    if (session_.needs_reset) {
      Result<ServerReply> reset = session_.read_reply(session_.timeouts().command);
      if (!reset) return give_up(reset.failure());
      session_.needs_reset = false;
    }
    Result<ServerReply> reply = session_.read_reply(session_.timeouts().command);
    if (!reply) return give_up(reply.failure());
    if (reply->is_class(2)) {
      session_.needs_reset = true;
      return true;
    }
    // Out of step on a connection that was kept: a fresh one may do better.
    const bool out_of_step = reply->code == 503 && session_.messages > 1;
    if (!reply->is_class(5) || out_of_step)
      return give_up({Kind::temporary, reply->status(), session_.said(*reply), 0});
    answer_others('h', session_.said(*reply));
    refused_mail_ = true;
    return false;
  }

  bool take_recipient_reply(size_t recipient) {
    Result<ServerReply> reply = session_.read_reply(session_.timeouts().command);
    if (!reply) return give_up(reply.failure());
    RecipientStep& step = recipients_[recipient];
    step.accepted = reply->is_class(2);
    if (step.accepted) {
      any_accepted_ = true;
      return true;
    }
    if (!session_.usable) return give_up({Kind::temporary, reply->status(), session_.said(*reply), 0});
    step.answered = true;
    // 552 to RCPT is an old way to say "too many recipients" (RFC 5321 4.5.3.1.10).
    const bool never = reply->is_class(5) && reply->code != 552;
    end_.results[recipient] = {never ? 'h' : 's', session_.said(*reply)};
    return true;
  }

  bool take_data_reply() {
    Result<ServerReply> reply = session_.read_reply(session_.timeouts().data_start);
    if (!reply) return give_up(reply.failure());
    if (reply->code == 354) {
      data_started_ = true;
    } else {
      // Of recipients that were refused before, their own reply stands.
      answer_others(reply->is_class(5) ? 'h' : 's', session_.said(*reply));
      if (!reply->is_class(4) && !reply->is_class(5)) session_.usable = false;
    }
    return true;
  }

  // One command, one reply.
  bool send_envelope() {
    if (Result<void> sent = session_.send(mail_, session_.timeouts().command); !sent)
      return give_up(sent.failure());
    if (!take_mail_reply()) return false;
    for (size_t i = 0; i < recipients_.size(); ++i) {
      if (recipients_[i].command.empty()) continue;
      const Result<void> sent = session_.send(recipients_[i].command, session_.timeouts().command);
      if (!sent) return give_up(sent.failure());
      if (!take_recipient_reply(i)) return false;
    }
    if (!any_accepted_) return false;
    const Result<void> sent = session_.send("DATA\r\n", session_.timeouts().command);
    return sent ? take_data_reply() : give_up(sent.failure());
  }

  // As few writes as possible (RFC 2920): commonly one for MAIL, RCPTs and DATA.
  bool send_envelope_pipelined() {
    std::string& group = session_.output;
    group = mail_;
    bool mail_pending = true;
    size_t first = 0;
    for (size_t i = 0; i < recipients_.size(); ++i) {
      group += recipients_[i].command;
      const bool last = i + 1 == recipients_.size();
      if (group.size() < kGroupBytes && !last) continue;
      if (last) group += "DATA\r\n";
      if (Result<void> sent = session_.send(group, session_.timeouts().command); !sent)
        return give_up(sent.failure());
      if (mail_pending && !take_mail_reply()) return refused_mail_ && pass_over_replies(first, i, last);
      mail_pending = false;
      for (; first <= i; ++first) {
        if (!recipients_[first].command.empty() && !take_recipient_reply(first)) return false;
      }
      group.clear();
    }
    return take_data_reply();
  }

  // After a refused MAIL: the replies to what was sent with it. The session stays in step with the server, or
  // ends.
  bool pass_over_replies(size_t from, size_t to, bool data_too) {
    for (size_t i = from; i <= to; ++i) {
      if (recipients_[i].command.empty()) continue;
      if (!session_.read_reply(session_.timeouts().command)) return false;
    }
    if (!data_too) return false;
    Result<ServerReply> reply = session_.read_reply(session_.timeouts().data_start);
    if (!reply) return false;
    // A server that now waits for data gets none, and no second message.
    if (reply->is_class(3)) session_.usable = false;
    return false;
  }

  void send_data() {
    if (!any_accepted_) {
      // Pipelined DATA was taken though no recipient was: nothing may be sent but the end (RFC 2920 3.1).
      if (!session_.send(".\r\n", session_.timeouts().data_block)) return;
      if (session_.read_reply(session_.timeouts().data_end)) session_.needs_reset = false;
      return;
    }
    Result<ServerReply> reply = send_body();
    if (!reply) {
      answer_others('s', failure_text(reply.failure()));
      return;
    }
    session_.needs_reset = false;
    const char letter = reply->is_class(2) ? 'r' : reply->is_class(5) ? 'h' : 's';
    answer_others(letter, session_.said(*reply));
  }

  // Through buffers of fixed size; a small message and its end are one write.
  Result<ServerReply> send_body() {
    BodyEncoder encoder;
    session_.input.resize(kInputBytes);
    std::string& out = session_.output;
    out.clear();
    out.reserve(kOutputBytes + 16);
    for (uint64_t at = 0; at < message_.size;) {
      const size_t wanted = static_cast<size_t>(std::min<uint64_t>(kInputBytes, message_.size - at));
      Result<size_t> got = pread_full(message_.fd, {session_.input.data(), wanted}, static_cast<off_t>(at),
                                      "read the message");
      if (!got || *got != wanted) {
        // What was sent must not be taken for the whole: the connection ends without the final dot.
        session_.usable = false;
        return got ? temporary("read the message: it is shorter than it was") : got.failure();
      }
      at += *got;
      encoder.encode({session_.input.data(), *got}, out);
      if (at == message_.size) encoder.finish(out);
      if (Result<void> sent = session_.send(out, session_.timeouts().data_block); !sent)
        return after_lost(sent.failure());
      out.clear();
    }
    if (message_.size == 0) {
      if (Result<void> sent = session_.send(".\r\n", session_.timeouts().data_block); !sent)
        return after_lost(sent.failure());
    }
    return session_.read_reply(session_.timeouts().data_end);
  }

  // A server may refuse a message in the middle and close: its words count for more than the closed
  // connection. It cannot have accepted what it has not got.
  Result<ServerReply> after_lost(const Failure& failure) {
    Result<ServerReply> words = session_.last_words();
    if (!words || words->is_class(2) || words->is_class(3)) return failure;
    return words;
  }

  SmtpSession& session_;
  const OutgoingMessage& message_;
  std::vector<RecipientStep> recipients_;
  TransactionEnd end_;
  std::string mail_;
  bool any_accepted_ = false;
  bool refused_mail_ = false;
  bool data_started_ = false;
};

}  // namespace

std::optional<std::string> smtp_address(std::string_view address) {
  const bool unsafe = std::any_of(address.begin(), address.end(),
                                  [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  if (unsafe) return std::nullopt;
  if (address.empty()) return std::string();
  const size_t at = address.rfind('@');
  const std::string_view local_part = address.substr(0, at);
  const std::string_view rest = at == std::string_view::npos ? std::string_view() : address.substr(at);
  if (rest.find_first_of(" <>\"\\") != std::string_view::npos) return std::nullopt;
  if (is_dot_string(local_part, Utf8::yes) || is_quoted_string(local_part)) return std::string(address);
  std::string quoted = "\"";
  for (const char c : local_part) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted.append("\"").append(rest);
}

TransactionEnd send_message(SmtpSession& session, const OutgoingMessage& message) {
  return Transaction(session, message).run();
}

}  // namespace postern
