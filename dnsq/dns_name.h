// Domain names and character-strings between their wire form and the text of master files (RFC 1035 5.1).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace postern {

// "Mail.Example.org" or "mail.example.org." to the wire form, lower-case. Nothing for what is no domain name:
// an empty or too long label, more than 255 bytes, a byte outside printable ASCII that is not written \DDD.
std::optional<std::string> parse_dns_name(std::string_view text);

// Takes one wire-form name (no compression) off the front of `bytes`, lower-cased; nothing when it is cut
// short.
std::optional<std::string> take_wire_name(std::string_view& bytes);

// Lower-case text without the last dot; "." for the root.
std::string format_dns_name(std::string_view wire);

// "192.0.2.1" or "2001:db8::1" to its name in in-addr.arpa or ip6.arpa (text); nothing for anything else.
std::optional<std::string> reverse_dns_name(std::string_view address);

// A character-string in quotes, with \" \\ and \DDD.
std::string quote_dns_string(std::string_view bytes);

// Reads one escaped byte ("\065" or "\.") off the front, which begins with the backslash.
std::optional<char> take_dns_escape(std::string_view& text);

}  // namespace postern
