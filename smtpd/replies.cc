#include "smtpd/replies.h"

#include <array>

namespace postern::smtpd {

namespace {

struct Row {
  Reply reply;
  const char* code;
  const char* status;
  const char* text;
};

// In the order of the enumeration.
constexpr std::array kTable = {
    Row{Reply::ok, "250", "2.0.0", "ok"},
    Row{Reply::sender_ok, "250", "2.1.0", "sender ok"},
    Row{Reply::recipient_ok, "250", "2.1.5", "recipient ok"},
    Row{Reply::reset_ok, "250", "2.0.0", "flushed"},
    Row{Reply::goodbye, "221", "2.0.0", "goodbye"},
    Row{Reply::help, "214", "2.0.0",
        "EHLO HELO MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT, as in RFC 5321 and RFC 3030"},
    Row{Reply::begin_tls, "220", "2.0.0", "ready to start TLS"},
    Row{Reply::cannot_verify, "252", "2.1.5", "cannot verify it, but will take a message and try"},
    Row{Reply::go_ahead, "354", "", "go ahead, end with a line that holds a single dot"},
    Row{Reply::chunk_ok, "250", "2.0.0", "chunk taken"},
    Row{Reply::authenticated, "235", "2.7.0", "authenticated"},

    Row{Reply::unknown_command, "500", "5.5.1", "unknown command"},
    Row{Reply::not_implemented, "502", "5.5.1", "command not implemented"},
    Row{Reply::line_too_long, "500", "5.5.2", "line too long"},
    Row{Reply::bare_line_feed, "500", "5.5.2", "bare LF: a command ends with CR LF"},
    Row{Reply::forbidden_bytes, "500", "5.5.2", "control and 8-bit characters are not allowed in commands"},
    Row{Reply::needs_argument, "501", "5.5.4", "an argument is missing"},
    Row{Reply::takes_no_argument, "501", "5.5.4", "this command takes no argument"},
    Row{Reply::bad_greeting, "501", "5.5.4", "that is no host name and no address literal"},
    Row{Reply::bad_mail, "501", "5.5.4",
        "syntax: MAIL FROM:<address> [SIZE=n] [BODY=7BIT|8BITMIME] [SMTPUTF8] [RET=FULL|HDRS] [ENVID=xtext]"},
    Row{Reply::bad_rcpt, "501", "5.5.4", "syntax: RCPT TO:<address> [NOTIFY=...] [ORCPT=type;xtext]"},
    Row{Reply::bad_sender, "501", "5.1.7", "sender address not understood"},
    Row{Reply::bad_recipient, "501", "5.1.3", "recipient address not understood"},
    Row{Reply::bad_parameter, "501", "5.5.4", "parameter not understood"},
    Row{Reply::bad_chunk_keyword, "501", "5.5.4", "syntax: BDAT size [LAST]"},
    Row{Reply::bad_xclient, "501", "5.5.4", "syntax: XCLIENT ATTRIBUTE=VALUE ..., ADDR with an address"},
    Row{Reply::repeated_parameter, "501", "5.5.4", "a parameter was given twice"},
    Row{Reply::unknown_parameter, "555", "5.5.4", "parameter not recognised"},
    Row{Reply::bad_auth, "501", "5.5.4", "syntax: AUTH mechanism [initial response]"},
    Row{Reply::bad_auth_response, "501", "5.5.2", "that is no response of this mechanism"},
    Row{Reply::auth_line_too_long, "500", "5.5.6", "the response is too long"},
    Row{Reply::auth_cancelled, "501", "5.7.0", "authentication cancelled"},
    Row{Reply::unknown_mechanism, "504", "5.5.4", "this authentication mechanism is not offered"},

    Row{Reply::not_greeted, "503", "5.5.1", "say EHLO or HELO first"},
    Row{Reply::needs_mail, "503", "5.5.1", "say MAIL first"},
    Row{Reply::nested_mail, "503", "5.5.1", "a sender was given already"},
    Row{Reply::tls_is_on, "503", "5.5.1", "TLS has begun already"},
    Row{Reply::not_in_chunks, "503", "5.5.1", "the message is coming in chunks: BDAT or RSET"},
    Row{Reply::nested_xclient, "503", "5.5.1", "a transaction is open: XCLIENT comes before MAIL"},
    Row{Reply::no_recipients, "554", "5.5.1", "no valid recipients"},
    Row{Reply::authenticated_already, "503", "5.5.1", "authenticated already"},
    Row{Reply::auth_in_transaction, "503", "5.5.1", "not while a message is given: RSET first"},

    Row{Reply::auth_required, "530", "5.7.0", "authentication required"},
    Row{Reply::needs_encryption, "538", "5.7.11", "encryption required: STARTTLS first"},
    Row{Reply::authentication_failed, "535", "5.7.8", "authentication failed"},
    Row{Reply::auth_unavailable, "454", "4.7.0", "unable to authenticate anybody now"},
    Row{Reply::needs_tls, "530", "5.7.0", "must issue a STARTTLS command first"},
    Row{Reply::no_tls_now, "454", "4.7.0", "TLS is not available now, try again later"},
    Row{Reply::needs_smtputf8, "553", "5.6.7", "a non-ASCII address needs SMTPUTF8, said at MAIL or VRFY"},
    Row{Reply::too_many_recipients, "452", "4.5.3", "too many recipients, send the rest separately"},
    Row{Reply::envelope_too_large, "452", "4.5.3", "too many bytes of recipients, send the rest separately"},
    Row{Reply::too_large, "552", "5.3.4", "the message is too large"},
    Row{Reply::bare_line_ends, "554", "5.6.0", "bare CR or bare LF in the message: lines end with CR LF"},
    Row{Reply::header_too_large, "552", "5.3.4", "the header of the message is too large"},
    Row{Reply::text_line_too_long, "554", "5.6.0", "a line of the message is too long"},
    Row{Reply::looping, "554", "5.4.6", "too many hops: this message is looping"},
    Row{Reply::no_room, "452", "4.3.1", "no room for the message now"},
    Row{Reply::low_memory, "452", "4.3.1", "out of room for now, try again later"},
    Row{Reply::spool_fault, "451", "4.3.0", "unable to keep the message now"},

    Row{Reply::idle_too_long, "421", "4.4.2", "waited too long for input, closing"},
    Row{Reply::session_too_long, "421", "4.4.2", "the session lasted too long, closing"},
    Row{Reply::too_many_errors, "421", "4.7.0", "too many errors, closing"},
    Row{Reply::too_many_auth_failures, "421", "4.7.0", "too many failed authentications, closing"},
    Row{Reply::too_many_commands, "421", "4.7.0", "too many commands without a message, closing"},
    Row{Reply::too_much_beyond_limits, "421", "4.7.0", "too much beyond a limit without a message, closing"},
    Row{Reply::too_many_messages, "421", "4.7.0",
        "too many messages in this connection, send the rest in another one"},
    Row{Reply::not_smtp, "421", "4.7.0", "this is not SMTP, closing"},
    Row{Reply::early_talker, "554", "5.5.1", "the client speaks before the greeting, closing"},
    Row{Reply::early_data, "421", "4.5.0", "input behind DATA did not wait for 354, closing"},
    Row{Reply::endless_input, "421", "4.7.0", "endless input, closing"},
    Row{Reply::improper_pipelining, "554", "5.5.0",
        "input behind a command that must wait for its reply, closing"},
    Row{Reply::bad_chunk_size, "501", "5.5.4", "BDAT without a size that can be read, closing"},
    Row{Reply::not_configured, "421", "4.3.5", "unable to read the configuration, closing"},
};

constexpr bool in_order() {
  for (size_t i = 0; i < kTable.size(); ++i) {
    if (static_cast<size_t>(kTable[i].reply) != i) return false;
  }
  return kTable.size() == static_cast<size_t>(Reply::not_configured) + 1;
}
static_assert(in_order());

}  // namespace

SmtpReply smtp_reply(Reply reply) {
  const Row& row = kTable.at(static_cast<size_t>(reply));
  return {.code = row.code, .status = row.status, .text = row.text};
}

std::string reply_line(const SmtpReply& reply) {
  if (reply.status.empty()) return reply.code + " " + reply.text + "\r\n";
  return reply.line() + "\r\n";
}

}  // namespace postern::smtpd
