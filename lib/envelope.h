// The envelope as it passes between programs (design, Joint 2), and its extras on descriptor 5 (RFC 3461, RFC
// 6531).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lib/result.h"

namespace postern {

constexpr size_t kAddressLimitBytes = 1003;              // as qmail-queue(8): beyond it exit 11
constexpr size_t kEnvelopeLimitBytes = 8 * 1024 * 1024;  // sender and all recipients
constexpr size_t kRecipientLimit = 50000;
// The sender of a notification of a notification, as qmail-send(8): it stays with the message when that is
// forwarded. Inside alone: to other hosts it is the null reverse-path.
constexpr std::string_view kDoubleBounceSender = "#@[]";
// Nobody gets a DSN of a message from such a sender.
constexpr bool is_notification_sender(std::string_view sender) {
  return sender.empty() || sender == kDoubleBounceSender;
}

struct Recipient {
  std::string address;
  std::string
      notify;  // NOTIFY= of RFC 3461 as given: "NEVER" or a list of SUCCESS,FAILURE,DELAY; empty: not given
  std::string orcpt;    // ORCPT= as given (xtext); empty: not given
  std::string route{};  // the next hop that a stage chose (lib/next_hop.h); empty: as configured
};

struct Envelope {
  std::string sender;  // empty: the null reverse-path
  std::vector<Recipient> recipients;
  std::string ret;    // RET=: "FULL", "HDRS" or empty
  std::string envid;  // ENVID= as given (xtext)
  std::string body;   // BODY=: "7BIT", "8BITMIME", "BINARYMIME" or empty
  bool smtputf8 = false;
};

// F<sender>NUL (T<recipient>NUL)* NUL, nothing after it. Exit code 91 in the failure when the form is broken
// (the sender of such bytes is one of our programs: temporary), 11 when an address is too long (permanent).
Result<Envelope> parse_envelope(std::string_view bytes);
std::string serialise_envelope(const Envelope& envelope);

// NUL-ended records: r<RET> e<ENVID> b<BODY> u (SMTPUTF8) for the message; t<recipient> names the recipient
// that the n<NOTIFY>, o<ORCPT> and h<ROUTE> behind it belong to. Unknown letters are passed over. Code 91 on
// a broken form.
Result<void> parse_extras(std::string_view bytes, Envelope& envelope);
// Empty when everything is at its default.
std::string serialise_extras(const Envelope& envelope);

}  // namespace postern
