#include "lib/boot_id.h"

#include "lib/fd.h"
#include "lib/text.h"

namespace postern {

std::string boot_id() {
  Result<std::string> id = read_file("/proc/sys/kernel/random/boot_id", 100);
  const std::string text{id ? trim(*id) : std::string_view()};
  return text.empty() ? "unknown" : text;
}

}  // namespace postern
