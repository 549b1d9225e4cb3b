#include "remote/smtp_commands.h"

#include <algorithm>
#include <cstdio>

#include "lib/local_part.h"
#include "lib/text.h"
#include "lib/utf8.h"
#include "lib/xtext.h"

namespace postern {

namespace {

constexpr size_t kOriginalLimitBytes = 500;  // ORCPT, RFC 3461 4.2

// A parameter's value as it came with the message, where it can stand in a command.
bool is_sayable(std::string_view value) {
  return !value.empty() &&
         std::all_of(value.begin(), value.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

// An ORCPT of RFC 6533's type utf-8 that holds UTF-8 as it is; where `utf8` is not in use those characters as
// \x{HEX} (RFC 6533 3). Any other as it came. Empty where it cannot be said.
std::string original_recipient(std::string_view orcpt, bool utf8) {
  static constexpr std::string_view kUtf8Type = "utf-8;";
  const bool international =
      equal_ignoring_case(orcpt.substr(0, kUtf8Type.size()), kUtf8Type) && is_utf8(orcpt);
  std::string out;
  while (international && !orcpt.empty()) {
    const CodePoint next = *first_code_point(orcpt);
    char hex[16];
    ::snprintf(hex, sizeof hex, "\\x{%X}", static_cast<unsigned>(next.value));
    out += next.bytes == 1 || utf8 ? orcpt.substr(0, next.bytes) : std::string_view(hex);
    orcpt.remove_prefix(next.bytes);
  }
  if (!international) out = orcpt;
  const bool sayable = std::all_of(out.begin(), out.end(), [&](char c) {
    return (c > 0x20 && c < 0x7f) || (international && static_cast<unsigned char>(c) > 0x7f);
  });
  return sayable && out.size() <= kOriginalLimitBytes ? out : "";
}

class Commands {
 public:
  Commands(const OutgoingMessage& message, const SmtpSession& session)
      : message_(message),
        envelope_(message.envelope),
        extensions_(session.extensions()),
        server_(target_text(session.target())) {
    const bool any_utf8 = std::any_of(envelope_.recipients.begin(), envelope_.recipients.end(),
                                      [](const Recipient& r) { return has_8bit_byte(r.address); });
    uses_utf8_ = extensions_.smtputf8 && (envelope_.smtputf8 || any_utf8 || has_8bit_byte(envelope_.sender));
  }

  EnvelopeCommands make() {
    made_.recipients.resize(envelope_.recipients.size());
    if (examine() && check_size() && check_8bit() && check_header()) make_recipients() && make_mail();
    return std::move(made_);
  }

 private:
  bool unfit(Failure failure) {
    made_.unfit = std::move(failure);
    return false;
  }
  bool refuse(Failure failure) {
    made_.refused = std::move(failure);
    return false;
  }

  bool examine() {
    const bool wants_8bit = message_.refuse_8bit && !extensions_.eight_bit_mime;
    if (message_.facts || !(extensions_.size || wants_8bit)) return true;
    Result<BodyFacts> facts = examine_body(message_.fd, message_.size);
    if (!facts) return refuse(facts.failure());
    message_.facts = *facts;
    return true;
  }

  bool check_size() {
    const uint64_t limit = extensions_.size_limit;
    if (limit == 0 || message_.facts->wire_bytes <= limit) return true;
    const std::string size = std::to_string(message_.facts->wire_bytes);
    return unfit(
        permanent("the message has " + size + " bytes, and " + server_ + " takes " + std::to_string(limit), 0,
                  "5.3.4"));
  }

  bool check_8bit() {
    if (!message_.refuse_8bit || extensions_.eight_bit_mime) return true;
    return !message_.facts->has_8bit || unfit(permanent(server_ + " does not take 8BITMIME", 0, "5.6.3"));
  }

  // A message that was sent with SMTPUTF8 but needs it nowhere may go to any server (RFC 6531 3.6).
  bool check_header() {
    if (!envelope_.smtputf8 || extensions_.smtputf8) return true;
    Result<bool> found = header_has_8bit(message_.fd, message_.size);
    if (!found) return refuse(found.failure());
    return !*found ||
           unfit(permanent(server_ + " does not take SMTPUTF8, which the header needs", 0, "5.6.9"));
  }

  [[nodiscard]] Failure no_utf8() const { return permanent(server_ + " does not take SMTPUTF8", 0, "5.6.7"); }

  bool make_recipients() {
    size_t need_utf8 = 0;
    for (size_t i = 0; i < made_.recipients.size(); ++i) {
      const std::string& address = envelope_.recipients[i].address;
      const std::optional<std::string> said = smtp_address(address);
      RecipientCommand& command = made_.recipients[i];
      if (!said || address.empty()) {
        command.failure = permanent("the address cannot be said in SMTP", 0, "5.1.3");
      } else if (has_8bit_byte(address) && !extensions_.smtputf8) {
        // Beside others it waits: alone, in a later attempt, it can be handed back and be tried elsewhere.
        command.failure = temporary(no_utf8().text, 0, "4.6.7");
        ++need_utf8;
      } else {
        command.text = "RCPT TO:<" + *said + ">" + dsn_parameters(envelope_.recipients[i], command) + "\r\n";
      }
    }
    return need_utf8 < made_.recipients.size() || unfit(no_utf8());
  }

  std::string dsn_parameters(const Recipient& recipient, RecipientCommand& command) const {
    std::string text;
    if (!extensions_.dsn) return text;
    command.passes_notify = is_sayable(recipient.notify);
    if (command.passes_notify) text += " NOTIFY=" + recipient.notify;
    if (!recipient.orcpt.empty()) {
      const std::string original = original_recipient(recipient.orcpt, uses_utf8_);
      if (!original.empty()) text += " ORCPT=" + original;
    } else if (command.passes_notify && !has_8bit_byte(recipient.address)) {
      // Whoever reports on it shall name the recipient as the sender knows it (RFC 3461 5.2.1).
      const std::string original = "rfc822;" + encode_xtext(recipient.address);
      if (original.size() <= kOriginalLimitBytes) text += " ORCPT=" + original;
    }
    return text;
  }

  bool make_mail() {
    const bool null_path = is_notification_sender(envelope_.sender);
    const std::optional<std::string> sender = smtp_address(null_path ? std::string() : envelope_.sender);
    if (!sender) return refuse(permanent("the sender's address cannot be said in SMTP", 0, "5.1.7"));
    if (has_8bit_byte(envelope_.sender) && !extensions_.smtputf8) return unfit(no_utf8());
    std::string& mail = made_.mail;
    mail = "MAIL FROM:<" + *sender + ">";
    if (extensions_.size) mail += " SIZE=" + std::to_string(message_.facts->wire_bytes);
    const bool declared_8bit = envelope_.body == "8BITMIME" || envelope_.body == "BINARYMIME";
    if (extensions_.eight_bit_mime && declared_8bit) mail += " BODY=8BITMIME";
    if (uses_utf8_) mail += " SMTPUTF8";
    if (extensions_.dsn && is_sayable(envelope_.ret)) mail += " RET=" + envelope_.ret;
    if (extensions_.dsn && is_sayable(envelope_.envid)) mail += " ENVID=" + envelope_.envid;
    mail += "\r\n";
    return true;
  }

  const OutgoingMessage& message_;
  const Envelope& envelope_;
  const Extensions& extensions_;
  std::string server_;
  EnvelopeCommands made_;
  bool uses_utf8_ = false;  // MAIL says SMTPUTF8
};

}  // namespace

EnvelopeCommands make_commands(const OutgoingMessage& message, const SmtpSession& session) {
  return Commands(message, session).make();
}

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

}  // namespace postern
