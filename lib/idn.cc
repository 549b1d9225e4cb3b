#include "lib/idn.h"

#include <idn2.h>

#include <memory>

#include "lib/text.h"
#include "lib/utf8.h"

namespace postern {

Result<std::string> a_labels(std::string_view domain) {
  if (!has_8bit_byte(domain)) return lower(domain);
  const std::string_view dot = domain.substr(0, domain.starts_with('.') ? 1 : 0);
  const std::string name(domain.substr(dot.size()));
  uint8_t* converted = nullptr;
  const int error = name.find('\0') != std::string::npos
                        ? IDN2_DISALLOWED
                        : idn2_lookup_u8(reinterpret_cast<const uint8_t*>(name.c_str()), &converted,
                                         IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
  const std::unique_ptr<uint8_t, void (*)(void*)> owned(converted, idn2_free);
  if (error == IDN2_MALLOC) return temporary("look up a domain: out of memory");
  if (error != IDN2_OK)
    return permanent(printable(domain, 255) + " is not a domain name (IDNA 2008)", 0, "5.1.2");
  return std::string(dot) + reinterpret_cast<const char*>(converted);
}

}  // namespace postern
