#include "remote/idn.h"

#include <idn2.h>

#include <algorithm>
#include <memory>

#include "lib/text.h"

namespace postern {

Result<std::string> a_labels(std::string_view domain) {
  const std::string name(domain);
  const bool ascii =
      std::all_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  if (ascii) return name;
  uint8_t* converted = nullptr;
  const int error = name.find('\0') != std::string::npos
                        ? IDN2_DISALLOWED
                        : idn2_lookup_u8(reinterpret_cast<const uint8_t*>(name.c_str()), &converted,
                                         IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
  const std::unique_ptr<uint8_t, void (*)(void*)> owned(converted, idn2_free);
  if (error == IDN2_MALLOC) return temporary("look up a domain: out of memory");
  if (error != IDN2_OK)
    return permanent(printable(name, 255) + " is not a domain name: " + idn2_strerror(error), 0, "5.1.2");
  return std::string(reinterpret_cast<const char*>(converted));
}

}  // namespace postern
