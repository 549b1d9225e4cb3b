// parts: lib
//
// An envelope and, behind the first byte pair 0xff 0xff if there is one, its extras. What is taken is written
// again and means the same; extras change no address.
#include "lib/envelope.h"
#include "tests/fuzz/must.h"

#include <cstdint>
#include <string_view>

using namespace postern;

namespace {

bool without_nul(std::string_view text) {
  return text.find('\0') == std::string_view::npos;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const size_t cut = input.find("\xff\xff");
  const std::string_view bytes = input.substr(0, cut);
  Result<Envelope> envelope = parse_envelope(bytes);
  if (!envelope) {
    const int code = envelope.failure().exit_code;
    must(code == (envelope.failure().permanent() ? 11 : 91));
    return 0;
  }
  must(!envelope->recipients.empty() && serialise_envelope(*envelope) == bytes);
  must(envelope->sender.size() <= kAddressLimitBytes);
  if (cut == std::string_view::npos) return 0;

  Envelope extended = *envelope;
  if (Result<void> parsed = parse_extras(input.substr(cut + 2), extended); !parsed) {
    must(parsed.failure().exit_code == 91 && !parsed.failure().permanent());
    return 0;
  }
  must(serialise_envelope(extended) == bytes);
  for (const Recipient& recipient : extended.recipients) {
    must(recipient.address.size() <= kAddressLimitBytes && without_nul(recipient.notify) &&
         without_nul(recipient.orcpt));
  }
  // Written and read once more they are the same. Recipients of one address may swap theirs, so not of those.
  Envelope again = *envelope;
  const std::string extras = serialise_extras(extended);
  must(parse_extras(extras, again).ok());
  must(again.ret == extended.ret && again.envid == extended.envid && again.body == extended.body);
  must(again.smtputf8 == extended.smtputf8);
  for (size_t i = 0; i < again.recipients.size(); ++i) {
    for (size_t other = 0; other < i; ++other) {
      if (again.recipients[other].address == again.recipients[i].address) return 0;
    }
  }
  must(serialise_extras(again) == extras);
  return 0;
}
