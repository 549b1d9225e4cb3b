#include "queue/send_settings.h"

#include <cstdint>

#include "lib/control.h"

namespace postern {

Result<SendSettings> read_send_settings() {
  SendSettings settings;
  Result<std::string> me = control_me();
  if (!me) return me.failure();
  settings.me = *me;
  Result<std::optional<std::vector<std::string>>> locals = control_list("locals");
  if (!locals) return locals.failure();
  settings.locals = locals->value_or(std::vector<std::string>{*me});
  const auto number = [](std::string_view name, auto& into) -> Result<void> {
    Result<uint64_t> value = control_number_or(name, into);
    if (!value) return value.failure();
    into = *value;
    return {};
  };
  for (Result<void> read :
       {number("concurrencylocal", settings.concurrency_local),
        number("concurrencyremote", settings.concurrency_remote),
        number("concurrencysite", settings.concurrency_site),
        number("queuelifetime", settings.retry.lifetime), number("retryfirst", settings.retry.first_wait),
        number("retrylongest", settings.retry.longest_wait)}) {
    if (!read) return read.failure();
  }
  return settings;
}

}  // namespace postern
