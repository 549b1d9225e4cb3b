#include "smtpd/proxy_protocol.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "lib/child.h"
#include "lib/text.h"
#include "receipt/address_prefix.h"

namespace postern::smtpd {

namespace {

constexpr std::string_view kSignature{"\r\n\r\n\0\r\nQUIT\n", 12};  // of version 2
constexpr std::string_view kFirstWord = "PROXY ";                   // of version 1
constexpr size_t kFixedBytes = 16;                                  // of version 2: then come the addresses
constexpr size_t kIpv4Bytes = 12;                                   // two addresses, two ports
constexpr size_t kIpv6Bytes = 36;

unsigned byte_at(std::string_view bytes, size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}
size_t two_bytes_at(std::string_view bytes, size_t at) {
  return size_t{byte_at(bytes, at)} << 8 | byte_at(bytes, at + 1);
}

// Decimal, no leading zeros, up to 65535.
bool is_port(std::string_view text) {
  const std::optional<uint64_t> number = parse_number(text);
  return number && *number <= 65535 && (text.size() == 1 || text.front() != '0');
}

std::optional<std::string> address_of_family(std::string_view text, bool v6) {
  const bool is_v6 = text.find(':') != std::string_view::npos;
  const std::optional<AddressKey> key = is_v6 == v6 ? parse_address(text) : std::nullopt;
  return key ? std::optional(address_text(*key)) : std::nullopt;
}

// "PROXY TCP4 192.0.2.1 198.51.100.1 40000 25" CR LF; behind UNKNOWN anything.
std::optional<ProxyHeader> parse_line(std::string_view line) {
  if (line.size() > kProxyLineBytes || !line.ends_with("\r\n")) return std::nullopt;
  line.remove_suffix(2);
  if (line.find_first_of("\r\n") != std::string_view::npos) return std::nullopt;
  const std::vector<std::string_view> parts = split(line, ' ');
  if (parts.size() >= 2 && parts[1] == "UNKNOWN") return ProxyHeader{};
  if (parts.size() != 6 || (parts[1] != "TCP4" && parts[1] != "TCP6")) return std::nullopt;
  const std::optional<std::string> remote = address_of_family(parts[2], parts[1] == "TCP6");
  const std::optional<std::string> local = address_of_family(parts[3], parts[1] == "TCP6");
  if (!remote || !local || !is_port(parts[4]) || !is_port(parts[5])) return std::nullopt;
  return ProxyHeader{.client = ProxiedClient{.remote_ip = *remote,
                                             .remote_port = std::string(parts[4]),
                                             .local_ip = *local,
                                             .local_port = std::string(parts[5])}};
}

std::string binary_address(std::string_view bytes, size_t at, bool v6) {
  AddressKey key = *parse_address("0.0.0.0");
  const size_t length = v6 ? key.size() : key.size() - kIpv4Bits / 8;
  std::memcpy(key.data() + key.size() - length, bytes.data() + at, length);
  return address_text(key);
}

std::optional<ProxyHeader> parse_binary(std::string_view header) {
  if (header.size() < kFixedBytes || header.size() != kFixedBytes + two_bytes_at(header, 14))
    return std::nullopt;
  const unsigned version_and_command = byte_at(header, 12);
  const unsigned family = byte_at(header, 13);
  if (version_and_command == 0x20) return ProxyHeader{};  // LOCAL: whatever stands behind it
  if (version_and_command != 0x21) return std::nullopt;
  if (family == 0x00) return ProxyHeader{};  // UNSPEC
  const bool v6 = family == 0x21;
  if (family != 0x11 && !v6) return std::nullopt;  // SMTP comes by TCP alone
  const std::string_view addresses = header.substr(kFixedBytes);
  if (addresses.size() < (v6 ? kIpv6Bytes : kIpv4Bytes)) return std::nullopt;
  const size_t length = v6 ? 16 : 4;
  return ProxyHeader{
      .client = ProxiedClient{.remote_ip = binary_address(addresses, 0, v6),
                              .remote_port = std::to_string(two_bytes_at(addresses, 2 * length)),
                              .local_ip = binary_address(addresses, length, v6),
                              .local_port = std::to_string(two_bytes_at(addresses, 2 * length + 2))}};
}

// False when the deadline passed.
bool wait_for_input(int fd, int64_t deadline) {
  for (;;) {
    pollfd waiting{fd, POLLIN, 0};
    const int64_t left = std::clamp<int64_t>(deadline - now_milliseconds(), 0, 1 << 30);
    const int ready = ::poll(&waiting, 1, static_cast<int>(left));
    if (ready >= 0 || errno != EINTR) return ready != 0;
  }
}

}  // namespace

size_t proxy_bytes_wanted(std::string_view so_far) {
  if (so_far.size() < kSignature.size()) return kSignature.size() - so_far.size();  // no header is shorter
  if (so_far.starts_with(kSignature)) {
    const size_t all = so_far.size() < kFixedBytes ? kFixedBytes : kFixedBytes + two_bytes_at(so_far, 14);
    return all > so_far.size() ? all - so_far.size() : 0;
  }
  if (!so_far.starts_with(kFirstWord)) return 0;
  return so_far.find('\n') == std::string_view::npos && so_far.size() < kProxyLineBytes ? 1 : 0;
}

std::optional<ProxyHeader> parse_proxy_header(std::string_view header) {
  if (header.starts_with(kSignature)) return parse_binary(header);
  return header.starts_with(kFirstWord) ? parse_line(header) : std::nullopt;
}

Result<ProxyHeader> read_proxy_header(int fd, int64_t deadline_milliseconds) {
  std::string header;
  while (const size_t wanted = proxy_bytes_wanted(header)) {
    if (!wait_for_input(fd, deadline_milliseconds))
      return temporary("read the header of the PROXY protocol: the time is over");
    const size_t before = header.size();
    header.resize(before + wanted);
    const ssize_t got = ::read(fd, header.data() + before, wanted);
    header.resize(before + static_cast<size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0) return temporary("read the header of the PROXY protocol: the connection has ended");
    if (got < 0 && errno != EINTR && errno != EAGAIN)
      return os_failure("read the header of the PROXY protocol", errno);
  }
  const std::optional<ProxyHeader> parsed = parse_proxy_header(header);
  if (parsed) return *parsed;
  return temporary("read the header of the PROXY protocol: \"" + printable(header, 60) + "\" is none");
}

}  // namespace postern::smtpd
