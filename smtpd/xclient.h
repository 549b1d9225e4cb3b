// XCLIENT, as Postfix's XCLIENT_README has it: a proxy that speaks SMTP says whose conversation this is.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace postern::smtpd {

// What EHLO offers.
constexpr std::string_view kXclientOffer = "XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT";

// Nothing: not said. Empty: said to be unknown ([UNAVAILABLE], [TEMPUNAVAIL]).
struct XclientRequest {
  std::optional<std::string> name;  // a host name
  std::optional<std::string> address;
  std::optional<std::string> port;
  std::optional<std::string> protocol;  // "SMTP" or "ESMTP"
  std::optional<std::string> helo;
  std::optional<std::string> login;
  std::optional<std::string> local_address;
  std::optional<std::string> local_port;
};

// "ATTR=VALUE …", values in xtext (RFC 3461, 4). Nothing when anything in it is wrong or stands there twice:
// what is half understood is not believed. An address that is unknown is wrong, too: everything goes by it.
std::optional<XclientRequest> parse_xclient(std::string_view argument);

}  // namespace postern::smtpd
