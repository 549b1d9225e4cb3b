// What the operator and the programs before us said: the connection's environment and control files. Those
// that every conversation needs are read when it begins, the others when they are first needed: most
// connections bring one message or none, and each file costs a system call even where it is missing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/dns_answer.h"
#include "lib/environment.h"
#include "lib/result.h"
#include "lib/sender_exceptions.h"
#include "receipt/ask_program.h"
#include "receipt/mail_flow_policy.h"
#include "receipt/rcpthosts.h"
#include "receipt/send_as.h"
#include "smtpd/admission.h"
#include "smtpd/message.h"
#include "smtpd/trial.h"

namespace postern::smtpd {

struct Settings {
  std::string me;                           // control/me
  std::string greeting;                     // control/smtpgreeting, else me
  std::optional<std::string> relay_suffix;  // RELAYCLIENT: any recipient, with this put behind its address
  uint64_t idle_seconds = 0;                // control/timeoutsmtpd
  uint64_t session_seconds = 0;             // control/sessionseconds
  uint64_t command_bytes = 0;               // control/commandbytes

  std::optional<uint64_t> given_message_limit_bytes;  // DATABYTES

  bool may_xclient = false;  // control/proxies

  MailFlowPolicy policy;     // of the client's sender group
  SenderGroup sender_group;  // and why it is in that

  std::string queue_program;       // QMAILQUEUE
  std::string user_queue_program;  // of those who have authenticated
  std::string listener;            // POSTERN_LISTENER
  uint64_t icid = 0;               // POSTERN_ICID, else a new one
  std::string remote_ip;           // made safe for a header and a log line, as the next two
  std::string remote_host;         // "unknown" without TCPREMOTEHOST
  std::string local_ip;
};
Result<Settings> read_settings(const Environment& environment);

struct RecipientRules : RecipientHosts {
  uint64_t limit = 0;  // control/maxrcpt or the policy's, whichever is less
};

// Read when they are first needed, and kept for the connection. Whoever has the values already fills them in.
struct Rules {
  std::optional<uint64_t> message_limit_bytes;  // DATABYTES, else control/databytes or the policy's; 0: none
  std::optional<RecipientRules> recipients;
  std::optional<MessageLimits> message;        // barelf, linebytes, headerbytes, maxhops, minfreememory
  std::optional<uint64_t> error_limit;         // control/maxerrors
  std::optional<uint64_t> command_limit;       // control/maxcommands
  std::optional<std::string> auth_mechanisms;  // control/authmechanisms, with one space between
  std::optional<uint64_t> auth_tries;          // control/authtries
  std::optional<SendAs> send_as;               // control/sendas
  std::optional<SenderExceptions> exceptions;  // control/senderexceptions.cdb
  std::optional<std::string> dns_program;      // control/dnsq
  AskDns ask_dns;                              // in its place
  std::optional<Trial> trial;                  // nothing: the conversation is a real one
  AskProgram ask;                              // how others are asked
};
Result<uint64_t> read_message_limit(const Settings& settings);
Result<RecipientRules> read_recipient_rules(const Settings& settings);
Result<MessageLimits> read_message_rules(const Settings& settings);  // but for the message's own size
Result<uint64_t> read_error_limit(const Settings& settings);
Result<uint64_t> read_command_limit(const Settings& settings);
Result<std::string> read_auth_mechanisms(const Settings& settings);
Result<uint64_t> read_auth_tries(const Settings& settings);
Result<SendAs> read_send_as(const Settings& settings);
Result<SenderExceptions> read_sender_exceptions(const Settings& settings);
Result<std::string> read_dns_program(const Settings& settings);

}  // namespace postern::smtpd
