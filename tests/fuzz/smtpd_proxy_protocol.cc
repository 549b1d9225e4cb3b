// parts: smtpd/proxy_protocol.cc receipt/address_prefix.cc
//
// What a proxy says first. Whatever comes: the header's end does not depend on what stands behind it, and who
// is taken for the client has addresses in their one form.
#include "smtpd/proxy_protocol.h"

#include <cstdint>
#include <string>
#include <string_view>

#include "lib/text.h"
#include "receipt/address_prefix.h"
#include "tests/fuzz/must.h"

using namespace postern;
using namespace postern::smtpd;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view stream(reinterpret_cast<const char*>(data), size);
  (void)parse_proxy_header(stream);
  std::string header;
  while (const size_t wanted = proxy_bytes_wanted(header)) {
    if (wanted > stream.size() - header.size()) return 0;
    header += stream.substr(header.size(), wanted);
  }
  must(header.size() <= 16 + 65535);
  must(proxy_bytes_wanted(header + "x") == 0 || header.size() < 12);
  const std::optional<ProxyHeader> parsed = parse_proxy_header(header);
  if (!parsed || !parsed->client) return 0;
  const ProxiedClient& client = *parsed->client;
  must(address_text(*parse_address(client.remote_ip)) == client.remote_ip);
  must(address_text(*parse_address(client.local_ip)) == client.local_ip);
  for (const std::string& port : {client.remote_port, client.local_port})
    must(parse_number(port).value_or(65536) <= 65535);
  return 0;
}
