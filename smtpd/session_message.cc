// DATA and BDAT: from the permission to send a message to the answer for it.
#include "lib/text.h"
#include "receipt/bounce_tag.h"
#include "smtpd/session.h"

namespace postern::smtpd {

void Session::data() {
  const bool none = transaction_.taken_recipients == 0;
  if (transaction_.mid == 0 || none || transaction_.message) {
    const bool early = !client_.buffered().empty();
    refuse(transaction_.message    ? Reply::not_in_chunks
           : transaction_.mid != 0 ? Reply::no_recipients
           : helo_.empty()         ? Reply::not_greeted
                                   : Reply::needs_mail);
    // RFC 2920: DATA is the last command of its group. What stands behind it without having waited for 354 is
    // a message, and a message must not be read as commands.
    if (early && !over_) close(Reply::early_data);
    return;
  }
  if (!begin_message(Framing::data)) return;
  answer(Reply::go_ahead);
  if (read_all(transaction_.message->read_data(client_), Reply::endless_input)) end_message();
}

// RFC 3030: the chunk follows at once and is taken whatever the answer is, or it would be read as commands.
// A refused chunk ends the transaction: what a pipelining client sends next would make a message with a hole.
void Session::bdat(std::string_view argument) {
  const ChunkArgument chunk = parse_chunk(argument);
  if (chunk.reply == Reply::bad_chunk_size) return close(chunk.reply);
  if (chunk.reply != Reply::chunk_ok) return refuse_chunk(chunk.reply, chunk.size_bytes);
  if (transaction_.mid == 0)
    return refuse_chunk(helo_.empty() ? Reply::not_greeted : Reply::needs_mail, chunk.size_bytes);
  if (transaction_.taken_recipients == 0) return refuse_chunk(Reply::no_recipients, chunk.size_bytes);
  if (!transaction_.message && !begin_message(Framing::chunks)) return;
  if (!read_all(transaction_.message->read_chunk(client_, chunk.size_bytes), Reply::too_large)) return;
  if (chunk.last) return end_message();
  // What is refused is over; the chunks that were sent on already are refused for want of MAIL.
  if (const Reply fault = transaction_.message->fault(); fault != Reply::ok) return refuse_message(fault);
  if (chunk.size_bytes == 0) return idle_command(Reply::chunk_ok);
  answer(Reply::chunk_ok);
}

void Session::refuse_chunk(Reply reply, uint64_t bytes) {
  if (!read_all(pass_over_chunk(client_, bytes), reply)) return;
  if (transaction_.mid != 0) {
    log_.refused(transaction_.mid, smtp_reply(reply));
    end_transaction();
  }
  refuse(reply);
}

bool Session::begin_message(Framing framing) {
  const MessageLimits* rules = need(rules_.message, read_message_rules);
  const uint64_t* limit = need(rules_.message_limit_bytes, read_message_limit);
  if (rules == nullptr || limit == nullptr) return false;
  MessageLimits limits = *rules;
  limits.text.message_bytes = *limit;
  transaction_.message.emplace(framing, trace_fields(), limits);
  if (settings_.policy.check_user && !user().empty()) transaction_.message->keep_authors();
  return true;
}

// False: the connection ends, because the client's input did, or because it has sent more than is read to
// keep step with it.
bool Session::read_all(const Reading& reading, Reply otherwise) {
  if (reading.complete) return true;
  if (reading.came != Came::bytes) {
    input_ended(reading.came);
    return false;
  }
  const Reply fault = transaction_.message ? transaction_.message->fault() : Reply::ok;
  close(fault != Reply::ok ? fault : otherwise);
  return false;
}

void Session::end_message() {
  const Fd message = transaction_.message->finish();
  log_.fields(transaction_.mid, transaction_.message->header());
  if (!message) return refuse_message(transaction_.message->fault());
  if (const Decision authors = judge_authors(); over_ || !authors.passes())
    return over_ ? void() : refuse_message(authors.reply);
  if (transaction_.only_for_replies && !transaction_.message->header().is_automatic_reply())
    return refuse_message(no_bounce_of_ours());
  hand_over(message.get());
}

void Session::refuse_message(Reply reply) {
  if (reply != Reply::bare_line_ends) return refuse_message(smtp_reply(reply));
  log_.refused(transaction_.mid, smtp_reply(reply));
  end_transaction();
  refuse(reply);  // this client does not speak SMTP
}

void Session::refuse_message(const SmtpReply& reply) {
  log_.refused(transaction_.mid, reply);
  end_transaction();
  client_.say(reply_line(reply));
}

void Session::hand_over(int message) {
  // Where an alias throws away what comes for each of them, nobody is left to get it.
  const bool dropped = transaction_.envelope.recipients.empty();
  const QueueAnswer queued =
      dropped ? QueueAnswer{} : submit_(message, transaction_.envelope, message_environment());
  notes_.message(queued);
  SmtpReply reply = queue_reply(queued);
  if (reply.accepted()) {
    reply.text += " " + std::to_string(transaction_.mid);
    log_.ready(transaction_.mid, transaction_.message->size_bytes(), transaction_.envelope.sender);
    if (dropped) log_.message_dropped(transaction_.mid);
    errors_ = beyond_limits_ = 0;
  } else {
    log_.refused(transaction_.mid, reply);
  }
  log_.flush();
  client_.say(reply_line(reply));
  end_transaction();
}

// What stands before the message: the newest field first. RFC 5321, 4.4, wants Received:; where the policy
// says received_header=off (a listener for our own hosts, whose names are not for others) the operator wants
// none.
std::string Session::trace_fields() const {
  std::string fields = transaction_.spf_field;
  if (!transaction_.bounce_mark.empty())
    fields.append(kBounceField).append(": ").append(transaction_.bounce_mark).append("\n");
  if (settings_.policy.received_header) fields += received_line();
  return fields;
}

// RFC 5321, 4.4; the protocol's names are those of RFC 3848 and RFC 6531. The name that the client gave is
// printable without syntax; the others were made so.
std::string Session::received_line() const {
  const bool ipv6 = settings_.remote_ip.find(':') != std::string::npos;
  const bool authenticated = !user().empty();
  // The names with a letter for each begin with ESMTP alone; a client of those that said HELO has neither.
  const bool extended = extended_ || authenticated;
  std::string protocol = transaction_.envelope.smtputf8 ? "UTF8SMTP" : extended ? "ESMTP" : "SMTP";
  if (tls_ && extended) protocol += "S";
  if (authenticated) protocol += "A";
  return "Received: from " + helo_ + " (" + settings_.remote_host + " [" + (ipv6 ? "IPv6:" : "") +
         settings_.remote_ip + "])" + tls_comment() + "\n  by " + settings_.me + " with " + protocol +
         " id " + std::to_string(transaction_.mid) + ";\n  " + rfc5322_date(now_microseconds() / 1000000) +
         "\n";
}

Environment Session::message_environment() const {
  Environment environment = environment_;
  environment.set("POSTERN_MID", std::to_string(transaction_.mid));
  environment.set("POSTERN_HELO", helo_);
  if (!transaction_.spf.empty()) environment.set("POSTERN_SPF", transaction_.spf);
  return environment;
}

}  // namespace postern::smtpd
