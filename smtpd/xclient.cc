#include "smtpd/xclient.h"

#include <algorithm>
#include <array>
#include <vector>

#include "lib/text.h"
#include "lib/xtext.h"
#include "receipt/address_prefix.h"
#include "smtpd/command.h"
#include "smtpd/path.h"

namespace postern::smtpd {

namespace {

constexpr size_t kValueBytes = 255;

// What the value stands for; nothing when it cannot stand here.
using Take = std::optional<std::string> (*)(const std::string& value);

std::optional<std::string> take_name(const std::string& value) {
  return is_domain(value) ? std::optional(lower(value)) : std::nullopt;
}

std::optional<std::string> take_address(const std::string& value) {
  const bool marked = value.size() > 5 && equal_ignoring_case(std::string_view(value).substr(0, 5), "IPV6:");
  const std::optional<AddressKey> key = parse_address(std::string_view(value).substr(marked ? 5 : 0));
  return key ? std::optional(address_text(*key)) : std::nullopt;
}

std::optional<std::string> take_port(const std::string& value) {
  const std::optional<uint64_t> port = parse_number(value);
  return port && *port <= 65535 ? std::optional(std::to_string(*port)) : std::nullopt;
}

std::optional<std::string> take_protocol(const std::string& value) {
  for (const char* known : {"SMTP", "ESMTP"}) {
    if (equal_ignoring_case(value, known)) return known;
  }
  return std::nullopt;
}

std::optional<std::string> take_helo(const std::string& value) {
  return is_greeting_name(value) ? std::optional(value) : std::nullopt;
}

std::optional<std::string> take_login(const std::string& value) {
  const auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  if (std::any_of(value.begin(), value.end(), is_control)) return std::nullopt;
  return value;
}

struct Attribute {
  std::string_view name;
  std::optional<std::string> XclientRequest::*into;
  Take take;
};
constexpr std::array<Attribute, 8> kAttributes = {{{"NAME", &XclientRequest::name, take_name},
                                                   {"ADDR", &XclientRequest::address, take_address},
                                                   {"PORT", &XclientRequest::port, take_port},
                                                   {"PROTO", &XclientRequest::protocol, take_protocol},
                                                   {"HELO", &XclientRequest::helo, take_helo},
                                                   {"LOGIN", &XclientRequest::login, take_login},
                                                   {"DESTADDR", &XclientRequest::local_address, take_address},
                                                   {"DESTPORT", &XclientRequest::local_port, take_port}}};

bool is_unknown(std::string_view value) {
  return equal_ignoring_case(value, "[UNAVAILABLE]") || equal_ignoring_case(value, "[TEMPUNAVAIL]");
}

bool take_attribute(std::string_view word, XclientRequest& request) {
  const size_t equals = word.find('=');
  if (equals == std::string_view::npos) return false;
  const std::string value = decode_xtext(word.substr(equals + 1));
  const auto attribute = std::find_if(kAttributes.begin(), kAttributes.end(), [&](const Attribute& known) {
    return equal_ignoring_case(known.name, word.substr(0, equals));
  });
  if (attribute == kAttributes.end() || value.empty() || value.size() > kValueBytes) return false;
  std::optional<std::string>& into = request.*(attribute->into);
  if (into) return false;
  into = is_unknown(value) ? std::optional<std::string>("") : attribute->take(value);
  return into.has_value();
}

}  // namespace

std::optional<XclientRequest> parse_xclient(std::string_view argument) {
  XclientRequest request;
  const std::vector<std::string_view> all = words(argument);
  for (const std::string_view word : all) {
    if (!take_attribute(word, request)) return std::nullopt;
  }
  if (all.empty() || (request.address && request.address->empty())) return std::nullopt;
  return request;
}

}  // namespace postern::smtpd
