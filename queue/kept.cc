#include "queue/kept.h"

#include <array>
#include <string_view>

namespace postern {

namespace {

constexpr std::array<std::string_view, 16> kKept = {
    "POSTERN_ICID",     "POSTERN_LISTENER", "POSTERN_DIRECTION",      "POSTERN_SENDERGROUP",
    "POSTERN_POLICY",   "POSTERN_HELO",     "POSTERN_AUTH",           "POSTERN_SKIP",
    "POSTERN_RELEASED", "TCPREMOTEIP",      "TCPREMOTEHOST",          "POSTERN_PARENT_MID",
    "POSTERN_BOUNCE",   "POSTERN_SOURCE",   "POSTERN_BOUNCE_PROFILE", "POSTERN_SIGN"};

}  // namespace

Environment kept_variables(const Environment& environment) {
  Environment kept;
  for (const std::string_view name : kKept) {
    const std::optional<std::string_view> value = environment.get(name);
    if (value && value->find('\0') == std::string_view::npos) kept.set(name, *value);
  }
  // It says that this request may come again.
  if (environment.get("POSTERN_DEFERRED") || environment.get("POSTERN_RELEASED")) {
    if (const std::optional<std::string_view> work = environment.get("POSTERN_WORK"))
      kept.set("POSTERN_WORK", *work);
  }
  return kept;
}

}  // namespace postern
