#include "queue/dsn.h"

#include <algorithm>

#include "lib/quoted_printable.h"
#include "lib/text.h"
#include "lib/utf8.h"
#include "lib/variables.h"
#include "lib/xtext.h"
#include "queue/diagnosis.h"

namespace postern {

namespace {

constexpr size_t kAddressBytes = 1003;
constexpr size_t kReportBytes = 900;

struct Words {
  Action action;
  char status_class;
  const char* paragraph;
};
// In the order in which they are told.
constexpr Words kWords[] = {
    {Action::failed, '5',
     "Your message could not be delivered to the addresses below. This is a permanent failure:\n"
     "it will not be tried again.\n"},
    {Action::delayed, '4',
     "Your message could not be delivered yet to the addresses below. You need not send it again:\n"
     "it is still being tried, until the time below.\n"},
    {Action::delivered, '2', "Your message was delivered to the addresses below.\n"},
    {Action::relayed, '2',
     "Your message was handed on for the addresses below to a host that does not report what becomes\n"
     "of it. You will not hear of its delivery.\n"},
    {Action::expanded, '2',
     "Your message was delivered to the addresses below, each of which stands for several others. You\n"
     "will not hear of its delivery to those.\n"},
};

const Words& words_of(Action action) {
  return *std::find_if(std::begin(kWords), std::end(kWords),
                       [&](const Words& w) { return w.action == action; });
}

// The action that the subject speaks of.
Action first_action(const BounceRequest& request) {
  for (const Words& words : kWords) {
    if (request.tells_of(words.action)) return words.action;
  }
  return Action::failed;
}

std::string subject_of(const BounceRequest& request, const BounceTemplate& words) {
  if (request.sender.empty()) return "Undelivered notification";
  const Action action = first_action(request);
  if (const auto own = words.find(action_word(action)); own != words.end())
    return encoded_words(own->second.subject);
  if (action == Action::failed) return "Undelivered mail returned to sender";
  if (action == Action::delayed) return "Mail delayed, still being tried";
  return "Delivery of your mail";
}

// The addresses, with what was said of each.
std::string recipients_of(const BounceRequest& request, Action action) {
  std::string text;
  for (const ReportedRecipient& recipient : request.recipients) {
    if (recipient.action != action) continue;
    text += (text.empty() ? "<" : "\n<") + safe_text(recipient.address, kAddressBytes, Alphabet::utf8) +
            ">:\n" + safe_text(recipient.why, kReportBytes, Alphabet::ascii) + "\n";
  }
  return text;
}

std::string paragraph_of(const BounceRequest& request, const Words& words, const BounceWords* own,
                         std::string_view host) {
  std::string recipients = recipients_of(request, words.action);
  if (own == nullptr) {
    std::string text = words.paragraph;
    if (words.action == Action::delayed) text += "Until: " + rfc5322_date(request.last_try) + "\n";
    return text + "\n" + recipients;
  }
  recipients.pop_back();  // the line that $Recipients ends has its own LF
  return expand_variables(own->text, {{"Host", std::string(host)},
                                      {"Sender", safe_text(request.sender, kAddressBytes, Alphabet::utf8)},
                                      {"Until", rfc5322_date(request.last_try)},
                                      {"Recipients", recipients}});
}

std::string explain(const BounceRequest& request, std::string_view host, const BounceTemplate& words) {
  std::string text;
  const auto own_of = [&](Action action) {
    const auto own = words.find(action_word(action));
    return own == words.end() || request.sender.empty() ? nullptr : &own->second;
  };
  if (own_of(first_action(request)) == nullptr) {
    text = "This is the mail system at " + std::string(host) + ".\n\n";
  }
  if (request.sender.empty()) {
    text +=
        "A message without a sender's address, which may be a notification, could not be delivered. It\n"
        "can be returned to nobody, so it is sent to you.\n\n";
  }
  for (const Words& each : kWords) {
    if (request.tells_of(each.action)) text += paragraph_of(request, each, own_of(each.action), host) + "\n";
  }
  return text;
}

std::string status_fields(const BounceRequest& request, const ReportedRecipient& recipient,
                          Alphabet alphabet) {
  const Diagnosis diagnosis = diagnose(recipient.why, words_of(recipient.action).status_class);
  std::string fields = "\n";
  if (!recipient.orcpt.empty())
    fields += "Original-Recipient: " + original_recipient(recipient.orcpt, alphabet) + "\n";
  fields += "Final-Recipient: " + final_recipient(recipient.address, alphabet) + "\n";
  fields += "Action: " + std::string(action_word(recipient.action)) + "\nStatus: " + diagnosis.status + "\n";
  if (!diagnosis.remote_mta.empty())
    fields += "Remote-MTA: dns; " + safe_text(diagnosis.remote_mta, 255, Alphabet::ascii) + "\n";
  if (!diagnosis.smtp_reply.empty())
    fields +=
        "Diagnostic-Code: smtp; " + safe_text(diagnosis.smtp_reply, kReportBytes, Alphabet::ascii) + "\n";
  if (recipient.action == Action::delayed)
    fields += "Will-Retry-Until: " + rfc5322_date(request.last_try) + "\n";
  return fields;
}

std::string text_part(const std::string& text, Alphabet alphabet) {
  if (!has_8bit_byte(text)) return "Content-Type: text/plain; charset=us-ascii\n\n" + text;
  const std::string type = "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: ";
  if (alphabet == Alphabet::utf8) return type + "8bit\n\n" + text;
  return type + "quoted-printable\n\n" + quoted_printable(text);
}

// The second part's, and so the report's (RFC 6522 3).
const char* status_subtype(Alphabet alphabet) {
  return alphabet == Alphabet::utf8 ? "global-delivery-status" : "delivery-status";
}

std::string status_part(const BounceRequest& request, std::string_view host, Alphabet alphabet) {
  std::string part = std::string("Content-Type: message/") + status_subtype(alphabet) + "\n";
  if (alphabet == Alphabet::utf8) part += "Content-Transfer-Encoding: 8bit\n";
  part += "\nReporting-MTA: dns; " + std::string(host) + "\n";
  if (!request.envid.empty())
    part +=
        "Original-Envelope-Id: " + safe_text(decode_xtext(request.envid), kAddressBytes, Alphabet::ascii) +
        "\n";
  part += "Arrival-Date: " + rfc5322_date(request.arrival) + "\n";
  for (const ReportedRecipient& recipient : request.recipients) {
    part += status_fields(request, recipient, alphabet);
  }
  return part;
}

// A whole message cannot be encoded (RFC 2046 5.2.1), a header can.
std::string returned_part(const BounceRequest& request, const Returned& returned) {
  const bool global = request.smtputf8 && returned.eight_bit;
  std::string part = "Content-Type: ";
  part += returned.full ? (global ? "message/global" : "message/rfc822")
                        : (global ? "message/global-headers" : "text/rfc822-headers");
  if (returned.eight_bit) {
    part += std::string("\nContent-Transfer-Encoding: ") + (returned.full ? "8bit" : "quoted-printable");
  }
  return part + "\n\n";
}

std::string header_of(const BounceRequest& request, std::string_view host, uint64_t dsn_mid,
                      uint64_t now_seconds, const BounceTemplate& words, Alphabet alphabet) {
  return "Date: " + rfc5322_date(now_seconds) + "\nFrom: Mail Delivery System <MAILER-DAEMON@" +
         std::string(host) + ">\nTo: <" + safe_text(request.addressee(), kAddressBytes, alphabet) +
         ">\nSubject: " + subject_of(request, words) + "\nMessage-ID: <" + std::to_string(dsn_mid) + "@" +
         std::string(host) + ">\nAuto-Submitted: auto-replied\nMIME-Version: 1.0\n";
}

// The header of the message is the end of the text, in the text's encoding.
void write_plain(const BounceRequest& request, const Returned& returned, const std::string& text,
                 DsnParts& parts) {
  const std::string all = text + "--- The header of your message" +
                          (request.tells_of(Action::failed) ? ", which is returned:\n\n" : ":\n\n");
  parts.eight_bit = parts.smtputf8;  // the address in the header
  parts.encodes = returned.eight_bit || has_8bit_byte(all);
  if (!parts.encodes) {
    parts.head += "Content-Type: text/plain; charset=us-ascii\n\n" + all;
    return;
  }
  parts.head += "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n" +
                quoted_printable(all);
}

}  // namespace

DsnParts make_dsn(const BounceRequest& request, const Returned& returned, std::string_view me,
                  uint64_t dsn_mid, uint64_t now_seconds, const BounceTemplate& words) {
  const std::string host = safe_text(me, 255, Alphabet::ascii);
  const std::string boundary = "postern." + std::to_string(dsn_mid);
  const Alphabet alphabet = is_international(request.addressee()) ? Alphabet::utf8 : Alphabet::ascii;
  const std::string text = explain(request, host, words);
  DsnParts parts;
  parts.smtputf8 = alphabet == Alphabet::utf8;
  parts.head = header_of(request, host, dsn_mid, now_seconds, words, alphabet);
  if (request.plain) {
    write_plain(request, returned, text, parts);
    return parts;
  }
  parts.eight_bit = parts.smtputf8 || (returned.full && returned.eight_bit);
  parts.encodes = returned.eight_bit && !returned.full;
  std::string& head = parts.head;
  head += std::string("Content-Type: multipart/report; report-type=") + status_subtype(alphabet) +
          "; boundary=\"" + boundary + "\"\n" + (parts.eight_bit ? "Content-Transfer-Encoding: 8bit\n" : "") +
          "\n";
  const std::string next = "--" + boundary + "\n";
  head += next + text_part(text, alphabet);
  head += next + status_part(request, host, alphabet);
  head += "\n" + next + returned_part(request, returned);
  parts.tail = "\n--" + boundary + "--\n";
  return parts;
}

}  // namespace postern
