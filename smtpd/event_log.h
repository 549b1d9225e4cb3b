// The event log of one connection (design, Joint 7). Lines wait for each other, so that a message costs one
// write(2); they go out with the queue's answer, when the client is quiet, and at the end.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/log.h"
#include "lib/spf.h"
#include "lib/submit.h"
#include "lib/tls_facts.h"
#include "receipt/decision.h"
#include "smtpd/header_scan.h"
#include "smtpd/settings.h"

namespace postern::smtpd {

class EventLog {
 public:
  explicit EventLog(uint64_t icid, int fd = 2);

  void connected(const Settings& settings);
  // What a client that is refused later does meanwhile; `what` has been made printable.
  void delayed_rejection(std::string_view what, std::string_view remote_ip);
  void thrown_away(size_t bytes);  // behind STARTTLS
  void tls_begun(const TlsFacts& facts);
  void tls_failed(std::string_view why);
  void message_started(uint64_t mid, std::string_view sender);
  void recipient(uint64_t mid, size_t rid, std::string_view address);
  void recipient_refused(uint64_t mid, std::string_view address, const SmtpReply& reply);
  void invalid_bounce(uint64_t mid, std::string_view address, std::string_view what);
  // Which step refused it, and what that goes by.
  void recipient_decided(uint64_t mid, std::string_view address, const Decision& decision);
  void recipient_rewritten(uint64_t mid, std::string_view address, std::string_view why);
  void recipient_dropped(uint64_t mid, std::string_view address, std::string_view why);
  void message_dropped(uint64_t mid);
  void fields(uint64_t mid, const HeaderScan& header);
  void spf(uint64_t mid, const SpfAnswer& answer,
           std::string_view sender);  // mid 0: refused before there is one
  // Why a step decided as it did, beside the refusal's own line.
  void because(const Decision& decision);
  // The one line that claims that we answer for the message: only after exit 0 of the queue program.
  void ready(uint64_t mid, uint64_t size_bytes, std::string_view sender);
  void refused(uint64_t mid, const SmtpReply& reply);
  void refused(const SmtpReply& reply);  // outside any message
  void limited(std::string_view why);    // which limit, and whose; the refusal follows
  void aborted(uint64_t mid);
  void authenticated(std::string_view user, std::string_view mechanism);
  void authentication_failed(std::string_view user, std::string_view mechanism, std::string_view why);
  void closed();
  void flush();

 private:
  void line(std::string_view text);

  LogLines lines_;
  std::string icid_;
};

}  // namespace postern::smtpd
