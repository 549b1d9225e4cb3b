// parts: lib
//
// A request packet as a hostile client may send it; the first byte is the number of descriptors that come
// with it. What is taken can be sent on and means the same there.
#include "lib/request.h"
#include "tests/fuzz/must.h"

#include <cstdint>
#include <string_view>

using namespace postern;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const size_t passed = data[0];
  const std::string_view packet(reinterpret_cast<const char*>(data) + 1, size - 1);
  Result<DecodedRequest> decoded = decode_request(packet, passed);
  if (!decoded) {
    must(!decoded.failure().permanent());
    return 0;
  }
  must(decoded->targets.size() == passed);
  Request request{.arguments = decoded->arguments, .environment = decoded->environment, .fds = {}};
  for (const int target : decoded->targets) {
    must(target >= 0 && target <= 255);
    request.fds.push_back({0, target});
  }
  Result<std::string> encoded = encode_request(request);
  if (!encoded) {
    must(passed > kPassedFdLimit || packet.size() > kRequestLimitBytes);
    return 0;
  }
  Result<DecodedRequest> again = decode_request(*encoded, passed);
  must(again.ok() && again->arguments == decoded->arguments && again->targets == decoded->targets);
  must(again->environment.pairs() == decoded->environment.pairs());
  Environment untrusted = decoded->environment;
  untrusted.remove_trusted();
  for (const auto& [name, value] : untrusted.pairs())
    must(!name.starts_with("POSTERN_") && name != "RELAYCLIENT");
  return 0;
}
