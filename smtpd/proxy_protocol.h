// The PROXY protocol, versions 1 and 2, as HAProxy's proxy-protocol.txt has it: what a load balancer says of
// its client before anything else. Read byte for byte as far as the header goes and no further: what stands
// behind it is the client's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lib/result.h"

namespace postern::smtpd {

constexpr size_t kProxyLineBytes = 107;  // the longest of version 1, with CR LF

// The client of a proxy, by its own word.
struct ProxiedClient {
  std::string remote_ip;
  std::string remote_port;
  std::string local_ip;
  std::string local_port;
};

struct ProxyHeader {
  std::optional<ProxiedClient> client;  // nothing: the proxy speaks for itself (LOCAL), or knows nothing
                                        // (UNKNOWN, UNSPEC)
};

// How many bytes to read next, when `so_far` has been read: 0 when the header is complete, or can be none.
size_t proxy_bytes_wanted(std::string_view so_far);
// The whole header; nothing when it is none. Addresses in their shortest form, an IPv4 one in an IPv6 one as
// what it is. Types and lengths of TLVs (version 2) are passed over.
std::optional<ProxyHeader> parse_proxy_header(std::string_view header);

// From the client's side of `fd`, by the deadline (now_milliseconds).
Result<ProxyHeader> read_proxy_header(int fd, int64_t deadline_milliseconds);

}  // namespace postern::smtpd
