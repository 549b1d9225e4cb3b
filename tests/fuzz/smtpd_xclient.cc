// parts: smtpd/xclient.cc smtpd/command.cc smtpd/path.cc receipt/address_prefix.cc
//
// XCLIENT's argument: what is believed has no byte that could forge a log line, a header field or a variable.
#include "smtpd/xclient.h"

#include <cstdint>
#include <string>
#include <string_view>

#include "receipt/address_prefix.h"
#include "smtpd/command.h"
#include "tests/fuzz/must.h"

using namespace postern;
using namespace postern::smtpd;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::optional<XclientRequest> request = parse_xclient({reinterpret_cast<const char*>(data), size});
  if (!request) return 0;
  for (const auto* value : {&request->name, &request->address, &request->port, &request->protocol,
                            &request->helo, &request->login, &request->local_address, &request->local_port}) {
    must(value->value_or("").size() <= 255);
    for (const char c : value->value_or("")) must(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f);
  }
  if (request->address) must(address_text(*parse_address(*request->address)) == *request->address);
  if (!request->helo.value_or("").empty()) must(is_greeting_name(*request->helo));
  return 0;
}
