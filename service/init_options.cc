#include "service/init_options.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "lib/smtproutes.h"
#include "lib/text.h"

namespace postern {

namespace {

bool is_address(const std::string& text) {
  if (text.find('\0') != std::string::npos) return false;  // inet_pton would stop there
  std::array<unsigned char, 16> bytes{};
  if (text.find('\0') != std::string::npos) return false;  // inet_pton would end there
  return ::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
}

bool is_port(std::string_view text) {
  const std::optional<uint64_t> number = parse_number(text);
  return number && *number > 0 && *number < 65536;
}

bool is_domain(std::string_view text) {
  return !text.empty() && text.size() <= 253 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  });
}

// A mailbox name becomes a directory and a line of users/assign: nothing that means something there.
bool is_user(std::string_view text) {
  return !text.empty() && text.size() <= 64 && text.front() != '.' && text.front() != '-' &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
         });
}

// A line of control/smtproutes.
bool is_route(std::string_view text) {
  return text.find('\n') == std::string_view::npos && !text.starts_with('#') &&
         RouteTable::parse(text, "").ok();
}

Failure wrong(const std::string& option, const std::string& value, const char* form) {
  return permanent(option + " " + printable(value, 100) + ": should be " + form);
}

}  // namespace

Result<AddressPort> parse_address_port(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return permanent("no port in " + printable(text, 100));
  std::string address(text.substr(0, colon));
  if (address.size() > 2 && address.front() == '[' && address.back() == ']')
    address = address.substr(1, address.size() - 2);
  if (!is_address(address) || !is_port(text.substr(colon + 1)))
    return permanent("no address and port: " + printable(text, 100));
  return AddressPort{address, std::string(text.substr(colon + 1))};
}

Result<InitOptions> parse_init_options(const std::vector<std::string>& arguments) {
  if (arguments.empty() || arguments[0].empty() || arguments[0].starts_with("-"))
    return permanent(kInitUsage);
  InitOptions options;
  options.directory = arguments[0];
  for (size_t i = 1; i < arguments.size(); i += 2) {
    const std::string& option = arguments[i];
    if (option == "--tls-self-signed") {
      options.self_signed = true;
      --i;  // the only one without a value
      continue;
    }
    if (i + 1 == arguments.size()) return permanent(option + " needs a value\n" + kInitUsage);
    const std::string& value = arguments[i + 1];
    const bool has_address = parse_address_port(value).ok();
    if (option == "--me") {
      if (!is_domain(value)) return wrong(option, value, "a host name");
      options.me = lower(value);
    } else if (option == "--listen") {
      if (!has_address) return wrong(option, value, "ADDR:PORT, as in 127.0.0.1:2525 or [::1]:2525");
      options.listen = value;
    } else if (option == "--submission") {
      if (!has_address) return wrong(option, value, "ADDR:PORT, as in 0.0.0.0:587");
      options.submission = value;
    } else if (option == "--local") {
      if (!is_domain(value)) return wrong(option, value, "a domain");
      options.local = lower(value);
    } else if (option == "--user") {
      if (!is_user(value)) return wrong(option, value, "a name of a-z, 0-9, '.', '_' and '-'");
      options.users.push_back(value);
    } else if (option == "--route") {
      if (!is_route(value))
        return wrong(option, value, "DOMAIN:HOST:PORT, or another line of control/smtproutes");
      options.routes.push_back(value);
    } else if (option == "--resolver") {
      if (!has_address) return wrong(option, value, "ADDR:PORT");
      options.resolver = value;
    } else if (option == "--smtps") {
      if (!has_address) return wrong(option, value, "ADDR:PORT, as in 0.0.0.0:465");
      options.smtps = value;
    } else if (option == "--clamdb") {
      if (!value.starts_with('/')) return wrong(option, value, "an absolute path");
      options.clamdb = value;
    } else {
      return permanent("unknown option " + printable(option, 100) + "\n" + kInitUsage);
    }
  }
  return options;
}

}  // namespace postern
