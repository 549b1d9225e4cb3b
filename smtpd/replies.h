// Every reply that the SMTP conversation gives, in one table. What the queue program answers is lib/submit's
// table.
#pragma once

#include <cstdint>
#include <string>

#include "lib/submit.h"

namespace postern::smtpd {

enum class Reply : uint8_t {
  ok,
  sender_ok,
  recipient_ok,
  reset_ok,
  goodbye,
  help,
  begin_tls,
  cannot_verify,
  go_ahead,
  chunk_ok,
  authenticated,
  // the command was not understood
  unknown_command,
  not_implemented,
  line_too_long,
  bare_line_feed,
  forbidden_bytes,
  needs_argument,
  takes_no_argument,
  bad_greeting,
  bad_mail,
  bad_rcpt,
  bad_sender,
  bad_recipient,
  bad_parameter,
  bad_chunk_keyword,
  bad_xclient,
  repeated_parameter,
  unknown_parameter,
  bad_auth,
  bad_auth_response,
  auth_line_too_long,
  auth_cancelled,
  unknown_mechanism,
  // it came at the wrong time
  not_greeted,
  needs_mail,
  nested_mail,
  tls_is_on,
  not_in_chunks,
  nested_xclient,
  no_recipients,
  authenticated_already,
  auth_in_transaction,
  // it was understood, and refused
  auth_required,
  needs_encryption,
  authentication_failed,
  auth_unavailable,
  needs_tls,
  no_tls_now,
  needs_smtputf8,
  too_many_recipients,
  envelope_too_large,
  too_large,
  bare_line_ends,
  header_too_large,
  text_line_too_long,
  looping,
  no_room,
  low_memory,
  spool_fault,
  // the connection ends
  idle_too_long,
  session_too_long,
  too_many_errors,
  too_many_auth_failures,
  too_many_commands,
  too_much_beyond_limits,
  too_many_messages,
  not_smtp,
  early_talker,
  early_data,
  endless_input,
  improper_pipelining,
  bad_chunk_size,
  not_configured,
};

// The row of the table.
SmtpReply smtp_reply(Reply reply);
// "501 5.5.4 text" CR LF; without an enhanced status where RFC 2034 has none (354).
std::string reply_line(const SmtpReply& reply);

}  // namespace postern::smtpd
