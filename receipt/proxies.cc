#include "receipt/proxies.h"

#include <arpa/inet.h>

#include <algorithm>
#include <optional>

#include "lib/control.h"
#include "lib/text.h"
#include "receipt/canonical_address.h"

namespace postern {

namespace {

std::vector<unsigned char> address_bytes(std::string_view text) {
  const std::optional<std::string> canonical = canonical_address(text);
  if (!canonical) return {};
  const bool v6 = canonical->find(':') != std::string::npos;
  std::vector<unsigned char> bytes(v6 ? 16 : 4);
  ::inet_pton(v6 ? AF_INET6 : AF_INET, canonical->c_str(), bytes.data());
  return bytes;
}

bool is_in(const std::vector<unsigned char>& address, const Proxy& proxy) {
  if (address.size() != proxy.network.size()) return false;
  const auto whole = static_cast<std::ptrdiff_t>(proxy.bits / 8);
  if (!std::equal(address.begin(), address.begin() + whole, proxy.network.begin())) return false;
  const unsigned rest = proxy.bits % 8;
  if (rest == 0) return true;
  const auto at = static_cast<size_t>(whole);
  return (address[at] ^ proxy.network[at]) >> (8 - rest) == 0;
}

// What is wrong with the line; empty: nothing.
std::string take(std::string_view line, Proxy& proxy) {
  const std::vector<std::string_view> parts = words(line);
  const size_t slash = parts[0].find('/');
  proxy.network = address_bytes(parts[0].substr(0, slash));
  if (proxy.network.empty())
    return "begins with no address; write ADDRESS or ADDRESS/BITS, then proxy or xclient";
  const size_t most = proxy.network.size() * 8;
  const std::optional<uint64_t> bits =
      slash == std::string_view::npos ? most : parse_number(parts[0].substr(slash + 1));
  if (!bits || *bits > most || *bits == 0)
    return "has no network of 1 to " + std::to_string(most) +
           " bits; whoever is to be believed has an address";
  proxy.bits = static_cast<unsigned>(*bits);
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
  size_t number = 0;
  for (const std::string_view whole : split(text, '\n')) {
    ++number;
    const std::string_view line = trim(whole);
    if (line.empty() || line.starts_with('#')) continue;
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
  const std::vector<unsigned char> bytes = address_bytes(address);
  const auto found =
      std::find_if(proxies_.begin(), proxies_.end(), [&](const Proxy& proxy) { return is_in(bytes, proxy); });
  return found == proxies_.end() || bytes.empty() ? nullptr : &*found;
}

}  // namespace postern
