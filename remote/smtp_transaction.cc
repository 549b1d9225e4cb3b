#include "remote/smtp_transaction.h"

#include <algorithm>
#include <utility>

#include "remote/message_body.h"

namespace postern {

namespace {

constexpr size_t kGroupBytes =
    8192;  // of pipelined commands whose replies are not read yet: far below any socket buffer
constexpr size_t kInputBytes = 32768;   // of the message at a time
constexpr size_t kOutputBytes = 65536;  // what that may become
// A message of this size or less goes with its envelope, in one BDAT: one round trip less. It is wasted where
// all recipients are refused. For larger ones that round trip weighs less and the waste more; the encoding
// costs the same in either form (10 MiB without dots at line starts: 30.1 million instructions by callgrind).
constexpr uint64_t kChunkBytes = kInputBytes;

class Transaction {
 public:
  Transaction(SmtpSession& session, const OutgoingMessage& message)
      : session_(session), message_(message), steps_(message.envelope.recipients.size()) {
    end_.results.resize(steps_.size());
  }

  TransactionEnd run() {
    commands_ = make_commands(message_, session_);
    if (!take_commands()) return std::move(end_);
    ++session_.messages;
    const Extensions& offered = session_.extensions();
    lmtp_ = session_.target().lmtp;
    chunk_ = offered.pipelining && offered.chunking && message_.size <= kChunkBytes && !lmtp_;
    if (!(offered.pipelining ? send_envelope_pipelined() : send_envelope())) return std::move(end_);
    if (chunk_) {
      take_chunk_reply();
    } else if (data_started_) {
      send_data();
    }
    note_who_is_left();
    return std::move(end_);
  }

 private:
  struct RecipientStep {
    bool accepted = false;
    bool answered = false;  // its result stands
    bool too_many = false;  // and may change in a further transaction
  };

  // False when there is nothing to be said to this server.
  bool take_commands() {
    if (commands_.refused) {
      end_.results = all_failed(steps_.size(), *commands_.refused);
      return false;
    }
    if (commands_.unfit) {
      end_.trouble = commands_.unfit;
      end_.results.clear();
      return false;
    }
    bool any = false;
    for (size_t i = 0; i < steps_.size(); ++i) {
      const std::optional<Failure>& failure = commands_.recipients[i].failure;
      any = any || !failure;
      if (!failure) continue;
      steps_[i].answered = true;
      end_.results[i] = {failure->permanent() ? 'h' : 's', failure_text(*failure)};
    }
    return any;
  }

  // Every recipient that has no answer yet gets this one.
  void answer_others(char letter, const std::string& text) {
    for (size_t i = 0; i < steps_.size(); ++i) {
      if (steps_[i].answered) continue;
      const bool passed = letter == 'r' && commands_.recipients[i].passes_notify;
      end_.results[i] = {passed ? 'p' : letter, text};
    }
  }

  // No reply. Behind a chunk that was sent whole the server may have the message: that waits for its next
  // turn, like a connection that is lost behind the final dot.
  bool lose(const Failure& failure) {
    if (!chunk_sent_) return give_up(failure);
    session_.usable = false;
    answer_others('s', failure_text(failure));
    return false;
  }

  // The server cannot have taken the message, and unless it said something of it that must stand, another one
  // may be tried at once.
  bool give_up(const Failure& failure) {
    session_.usable = false;
    const bool any_stands = std::any_of(steps_.begin(), steps_.end(),
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
      Result<ServerReply> reset = session_.read_reply(Phase::reset);
      if (!reset) return lose(reset.failure());
      session_.needs_reset = false;
    }
    Result<ServerReply> reply = session_.read_reply(Phase::mail);
    if (!reply) return lose(reply.failure());
    if (reply->is_class(2)) {
      session_.needs_reset = true;
      return true;
    }
    // Out of step on a connection that was kept: a fresh one may do better.
    const bool out_of_step = reply->code == 503 && session_.messages > 1;
    const Failure refused{Kind::temporary, reply->status(), session_.said(*reply), 0};
    // Where a transaction was open all the same, the chunk may have ended it.
    if (out_of_step) return lose(refused);
    if (!reply->is_class(5)) return give_up(refused);
    answer_others('h', session_.said(*reply));
    refused_mail_ = true;
    return false;
  }

  bool take_recipient_reply(size_t recipient) {
    Result<ServerReply> reply = session_.read_reply(Phase::rcpt);
    if (!reply) return lose(reply.failure());
    RecipientStep& step = steps_[recipient];
    step.accepted = reply->is_class(2);
    if (step.accepted) {
      any_accepted_ = true;
      return true;
    }
    if (!session_.usable) return give_up({Kind::temporary, reply->status(), session_.said(*reply), 0});
    step.answered = true;
    // 452 says "too many recipients", but a full mailbox too; 552 is its old form (RFC 5321 4.5.3.1.10).
    const std::string status = reply->status();
    const bool may_mean_it = status.ends_with(".5.3") || status.ends_with(".0.0");
    step.too_many = (reply->code == 452 || reply->code == 552) && may_mean_it && any_accepted_;
    const bool never = reply->is_class(5) && reply->code != 552;
    end_.results[recipient] = {never ? 'h' : 's', session_.said(*reply)};
    return true;
  }

  bool take_data_reply() {
    Result<ServerReply> reply = session_.read_reply(Phase::data);
    if (!reply) return lose(reply.failure());
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
    const std::string reset = session_.needs_reset ? "RSET\r\n" : "";
    if (Result<void> sent = session_.send(reset + commands_.mail, Phase::mail); !sent)
      return give_up(sent.failure());
    if (!take_mail_reply()) return false;
    for (size_t i = 0; i < steps_.size(); ++i) {
      if (commands_.recipients[i].text.empty()) continue;
      const Result<void> sent = session_.send(commands_.recipients[i].text, Phase::rcpt);
      if (!sent) return give_up(sent.failure());
      if (!take_recipient_reply(i)) return false;
    }
    if (!any_accepted_) return false;
    const Result<void> sent = session_.send("DATA\r\n", Phase::data);
    return sent ? take_data_reply() : give_up(sent.failure());
  }

  // As few writes as possible (RFC 2920): commonly one for MAIL, RCPTs and DATA, or the whole message.
  bool send_envelope_pipelined() {
    std::string& group = session_.output;
    group = session_.needs_reset ? "RSET\r\n" : "";
    group += commands_.mail;
    bool mail_pending = true;
    size_t first = 0;
    for (size_t i = 0; i < steps_.size(); ++i) {
      group += commands_.recipients[i].text;
      const bool last = i + 1 == steps_.size();
      if (group.size() < kGroupBytes && !last) continue;
      if (last && !append_content(group)) return false;
      if (Result<void> sent = session_.send(group, Phase::mail); !sent) return give_up(sent.failure());
      chunk_sent_ = last && chunk_;
      if (mail_pending && !take_mail_reply()) return refused_mail_ && pass_over_replies(first, i, last);
      mail_pending = false;
      for (; first <= i; ++first) {
        if (!commands_.recipients[first].text.empty() && !take_recipient_reply(first)) return false;
      }
      group.clear();
    }
    return chunk_ || take_data_reply();
  }

  // DATA, or BDAT with the message: the end of the last group.
  bool append_content(std::string& group) {
    if (!chunk_) {
      group += "DATA\r\n";
      return true;
    }
    session_.input.resize(kInputBytes);
    Result<size_t> got = read_message(0, static_cast<size_t>(message_.size));
    if (!got) {
      give_up(got.failure());
      return false;
    }
    std::string body;
    body.reserve(*got + *got / 16 + 16);
    BodyEncoder encoder(BodyEncoder::Form::chunk);
    encoder.encode({session_.input.data(), *got}, body);
    encoder.finish(body);
    group.append("BDAT ").append(std::to_string(body.size())).append(" LAST\r\n").append(body);
    return true;
  }

  // After a refused MAIL: the replies to what was sent with it. The session stays in step with the server, or
  // ends.
  bool pass_over_replies(size_t from, size_t to, bool content_too) {
    for (size_t i = from; i <= to; ++i) {
      if (commands_.recipients[i].text.empty()) continue;
      if (!session_.read_reply(Phase::rcpt)) return false;
    }
    if (!content_too) return false;
    Result<ServerReply> reply = session_.read_reply(chunk_ ? Phase::end : Phase::data);
    if (!reply) return false;
    end_.without_chunking = chunk_ && is_unknown_command(*reply);
    // A server that now waits for data gets none, and no second message; one that takes the chunk for
    // commands says nothing that can be believed.
    if (reply->is_class(3) || (chunk_ && reply->is_class(2)) || end_.without_chunking)
      session_.usable = false;
    return false;
  }

  static bool is_unknown_command(const ServerReply& reply) {
    return reply.code == 500 || reply.code == 502 || reply.code == 504;
  }

  void take_chunk_reply() {
    Result<ServerReply> reply = session_.read_reply(Phase::end);
    if (!reply) {
      answer_others('s', failure_text(reply.failure()));
      return;
    }
    // A refused chunk leaves the transaction open (RFC 3030 2); one to nobody is none.
    if (reply->is_class(2)) session_.needs_reset = false;
    const bool unknown = is_unknown_command(*reply);
    if (any_accepted_ && !unknown) {
      answer_message(*reply);
    } else if (unknown) {
      // It takes the chunk for commands: nothing that it says from here on can be believed.
      session_.usable = false;
      answer_others('s', session_.said(*reply));
      end_.without_chunking = true;
    }
  }

  void answer_message(const ServerReply& reply) {
    taken_ = reply.is_class(2);
    answer_others(taken_ ? 'r' : reply.is_class(5) ? 'h' : 's', session_.said(reply));
  }

  void note_who_is_left() {
    for (size_t i = 0; i < steps_.size(); ++i) {
      const bool left = end_.without_chunking ? steps_[i].accepted : taken_ && steps_[i].too_many;
      if (left) end_.again.push_back(i);
    }
  }

  void send_data() {
    if (!any_accepted_ && lmtp_) {
      // It has nobody to answer for, and must not have taken DATA (RFC 2033 4.2).
      session_.usable = false;
      return;
    }
    if (!any_accepted_) {
      // Pipelined DATA was taken though no recipient was: nothing may be sent but the end (RFC 2920 3.1).
      if (!session_.send(".\r\n", Phase::block)) return;
      if (session_.read_reply(Phase::end)) session_.needs_reset = false;
      return;
    }
    Result<ServerReply> reply = send_body();
    if (!reply) {
      session_.usable = false;
      answer_others('s', failure_text(reply.failure()));
      return;
    }
    session_.needs_reset = false;
    // What ends the connection is all that it says.
    if (lmtp_ && session_.usable) return take_lmtp_replies(std::move(*reply));
    answer_message(*reply);
  }

  // One reply for each recipient that was accepted, in their order (RFC 2033 4.2); `reply` is the first. Each
  // stands by itself, whatever becomes of the connection.
  void take_lmtp_replies(Result<ServerReply> reply) {
    bool first = true;
    for (size_t i = 0; i < steps_.size(); ++i) {
      if (!steps_[i].accepted) continue;
      if (!std::exchange(first, false)) reply = session_.read_reply(Phase::end);
      if (!reply) {
        session_.usable = false;
        answer_others('s', failure_text(reply.failure()));
        return;
      }
      taken_ = taken_ || reply->is_class(2);
      end_.results[i] = {letter_of(*reply, i), session_.said(*reply)};
      steps_[i].answered = true;
    }
  }

  [[nodiscard]] char letter_of(const ServerReply& reply, size_t recipient) const {
    if (reply.is_class(2)) return commands_.recipients[recipient].passes_notify ? 'p' : 'r';
    return reply.is_class(5) ? 'h' : 's';
  }

  // Bytes of the message into session_.input; all of them, or a failure.
  Result<size_t> read_message(uint64_t at, size_t wanted) {
    Result<size_t> got =
        pread_full(message_.fd, {session_.input.data(), wanted}, static_cast<off_t>(at), "read the message");
    if (got && *got != wanted) return temporary("read the message: it is shorter than it was");
    return got;
  }

  // Through buffers of fixed size; a small message and its end are one write. Where the message cannot be
  // read to its end, what was sent must not be taken for the whole: the connection ends without the final
  // dot.
  Result<ServerReply> send_body() {
    BodyEncoder encoder;
    session_.input.resize(kInputBytes);
    std::string& out = session_.output;
    out.clear();
    out.reserve(kOutputBytes + 16);
    uint64_t at = 0;
    do {
      const size_t wanted = static_cast<size_t>(std::min<uint64_t>(kInputBytes, message_.size - at));
      Result<size_t> got = read_message(at, wanted);
      if (!got) return got.failure();
      at += *got;
      encoder.encode({session_.input.data(), *got}, out);
      if (at == message_.size) encoder.finish(out);
      if (spoken_early(at)) return early_reply();
      if (Result<void> sent = session_.send(out, Phase::block); !sent) return after_lost(sent.failure());
      out.clear();
    } while (at < message_.size);
    return session_.read_reply(Phase::end);
  }

  // Has the server replied before the end of the message? For a small one only what came with the 354 is
  // looked at.
  [[nodiscard]] bool spoken_early(uint64_t at) const {
    return at <= kInputBytes ? !session_.read_all() : !session_.quiet();
  }

  // A refusal is one, and saves us the rest; a yes to half a message is none.
  Result<ServerReply> early_reply() {
    Result<ServerReply> reply = session_.last_words();
    if (!reply || reply->is_class(4) || reply->is_class(5)) return reply;
    return temporary(target_text(session_.target()) + " replied " + std::to_string(reply->code) +
                         " before the end of the message",
                     0, "4.5.0");
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
  std::vector<RecipientStep> steps_;
  EnvelopeCommands commands_;
  TransactionEnd end_;
  bool any_accepted_ = false;
  bool refused_mail_ = false;
  bool data_started_ = false;
  bool lmtp_ = false;        // one reply to the message for each recipient
  bool chunk_ = false;       // the message goes as one BDAT
  bool chunk_sent_ = false;  // all of it
  bool taken_ = false;       // by the server, for some recipients
};

}  // namespace

TransactionEnd send_message(SmtpSession& session, const OutgoingMessage& message) {
  return Transaction(session, message).run();
}

}  // namespace postern
