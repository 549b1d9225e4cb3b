// parts: smtpd/command.cc smtpd/envelope_command.cc smtpd/path.cc smtpd/replies.cc lib
//
// A command line as a client may send it. Whatever is accepted can be written out again and means the same;
// nothing that could break a line, an envelope record or a header gets through.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "lib/envelope.h"
#include "lib/utf8.h"
#include "smtpd/command.h"
#include "smtpd/envelope_command.h"
#include "smtpd/path.h"

using namespace postern::smtpd;

namespace {

void require(bool fact) {
  if (!fact) std::abort();
}

void check_address(const std::string& address) {
  require(address.size() <= kPathLimitBytes && address.size() <= postern::kAddressLimitBytes);
  require(postern::is_utf8(address));
  for (const char c : address) require(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
  const size_t at = address.rfind('@');
  if (at == std::string::npos) return;
  for (const char c : address.substr(at)) require(!(c >= 'A' && c <= 'Z'));
  const std::optional<Path> again = parse_path("<" + address + ">");
  require(again.has_value() && again->address == address && again->length == address.size() + 2);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  const Command command = parse_command(line);
  require(command.argument.size() <= line.size());
  // The argument parsers get hostile bytes too, although the session never gives them any.
  for (const std::string_view argument : {command.argument, line}) {
    const MailArgument mail = parse_mail(argument);
    if (mail.reply == Reply::sender_ok) {
      check_address(mail.sender);
      require(mail.sender.empty() || mail.sender.find('@') != std::string::npos);
      require(mail.body.empty() || mail.body == "7BIT" || mail.body == "8BITMIME");
    }
    if (mail.reply == Reply::sender_ok && !mail.smtputf8) require(!postern::has_8bit_byte(mail.sender));
    if (mail.bare) require(mail.reply == Reply::bad_sender && mail.sender.find('@') == std::string::npos);
    const MailArgument lenient = parse_mail(argument, Malformed::allow);
    if (lenient.reply == Reply::sender_ok && mail.reply == Reply::bad_sender) {
      require(lenient.sender.size() + 2 <= kPathLimitBytes);
      require(lenient.sender.find_first_of("<>\" ") == std::string::npos &&
              !postern::has_8bit_byte(lenient.sender));
    }
    for (const bool smtputf8 : {false, true}) {
      const RcptArgument rcpt = parse_rcpt(argument, smtputf8);
      if (rcpt.bare) require(rcpt.recipient.find('@') == std::string::npos);
      if (rcpt.reply != Reply::recipient_ok) continue;
      require(!rcpt.recipient.empty());
      check_address(rcpt.recipient);
      require(smtputf8 || !postern::has_8bit_byte(rcpt.recipient + rcpt.orcpt));
      require(rcpt.orcpt.find_first_of(" =") == std::string::npos && rcpt.orcpt.size() <= 500);
    }
    if (is_greeting_name(argument)) {
      require(argument.find_first_of(" \r\n()<>;") == std::string_view::npos &&
              argument.size() <= kDomainLimitBytes);
    }
  }
  return 0;
}
