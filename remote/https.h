// One HTTPS exchange with a stranger's server (libcurl): TLS 1.2 or later, a certificate for the name that
// the CA directory vouches for, no redirect, no proxy, nothing taken from the environment, sizes and time
// bounded. No connection is made to an inner address (lib/inner_addresses.h) that is not allowed: looked at
// when the socket is made, so that no answer of the DNS helps.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/inner_addresses.h"
#include "lib/result.h"

namespace postern {

// https://HOST[:PORT]/PATH; nothing with a user in it, and no port below 1024 but 443: those are other
// services'. The failure is permanent.
struct HttpsUrl {
  std::string url{};
  std::string host{};
  uint16_t port = 443;
};
Result<HttpsUrl> parse_https_url(std::string_view text);

struct HttpsRequest {
  HttpsUrl url{};
  std::vector<std::string> addresses{};  // of the host; no other resolver is asked
  Networks inner{};                      // inner addresses that may be connected to
  uint16_t connect_port = 0;             // instead of the URL's; 0: the URL's
  std::string ca_path{};                 // directory of hashed CA certificates
  int64_t timeout_milliseconds = 60000;
  size_t limit_bytes = 65536;  // of the reply's body
  std::string post_type{};     // POST `post_body` with this type; empty: GET
  std::string post_body{};
};

struct HttpsReply {
  long status = 0;
  std::string content_type{};  // without parameters, lower case
  std::string body{};
};

// Why there was no whole exchange.
struct HttpsTrouble {
  bool untrusted = false;  // the certificate, or TLS itself
  std::string text{};
};

struct HttpsEnd {
  HttpsReply reply{};
  HttpsTrouble trouble{};  // its text is empty when `reply` came whole
};

// control/httpsinner: the inner networks that may be connected to; without the file none.
Result<Networks> read_https_inner();

// Once a process, before it forks.
void begin_https();
HttpsEnd exchange(const HttpsRequest& request);

}  // namespace postern
