#include "receipt/proxies.h"

#include <algorithm>
#include <optional>

#include "lib/control.h"
#include "lib/text.h"

namespace postern {

namespace {

// All of IPv4, or of IPv6.
bool is_everybody(const AddressPrefix& network) {
  const std::optional<AddressKey> some_ipv4 = parse_address("0.0.0.0");
  return network.bits == 0 || (network.bits <= kIpv4Bits && is_in(*some_ipv4, network));
}

// What is wrong with the line; empty: nothing.
std::string take(std::string_view line, Proxy& proxy) {
  const std::vector<std::string_view> parts = words(line);
  std::optional<std::vector<AddressPrefix>> networks = parse_networks(parts[0]);
  if (!networks) return "begins with no address; write ADDRESS or ADDRESS/BITS, then proxy or xclient";
  if (std::any_of(networks->begin(), networks->end(), is_everybody))
    return "believes everybody; whoever is to be believed has an address";
  proxy.networks = std::move(*networks);
  for (size_t i = 1; i < parts.size(); ++i) {
    if (parts[i] != "proxy" && parts[i] != "xclient")
      return "says \"" + printable(parts[i], 40) + "\"; behind the address stand proxy, xclient or both";
    (parts[i] == "proxy" ? proxy.says_proxy : proxy.says_xclient) = true;
  }
  return parts.size() > 1 ? ""
                          : "does not say what is believed; write proxy, xclient or both behind the address";
}

}  // namespace

Result<Proxies> Proxies::parse(std::string_view text, std::string_view file_name) {
  Proxies proxies;
  for (const auto& [number, line] : numbered_lines(text)) {
    Proxy proxy;
    if (const std::string why = take(line, proxy); !why.empty())
      return temporary(
          std::string(file_name) + ":" + std::to_string(number) + ": \"" + printable(line, 100) + "\" " + why,
          55, "4.3.5");
    proxies.proxies_.push_back(std::move(proxy));
  }
  return proxies;
}

Result<Proxies> Proxies::read() {
  const Result<std::optional<std::string>> text = control_text("proxies");
  if (!text) return text.failure();
  return parse(text->value_or(""), "control/proxies");
}

const Proxy* Proxies::find(std::string_view address) const {
  if (proxies_.empty()) return nullptr;
  const std::optional<AddressKey> key = parse_address(address);
  if (!key) return nullptr;
  const auto has_it = [&key](const Proxy& proxy) {
    return std::any_of(proxy.networks.begin(), proxy.networks.end(),
                       [&key](const AddressPrefix& network) { return is_in(*key, network); });
  };
  const auto found = std::find_if(proxies_.begin(), proxies_.end(), has_it);
  return found == proxies_.end() ? nullptr : &*found;
}

}  // namespace postern
