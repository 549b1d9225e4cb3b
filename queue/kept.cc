#include "queue/kept.h"

#include <array>
#include <string_view>

namespace postern {

namespace {

constexpr std::array<std::string_view, 12> kKept = {
    "POSTERN_ICID",     "POSTERN_LISTENER", "POSTERN_DIRECTION", "POSTERN_SENDERGROUP",
    "POSTERN_POLICY",   "POSTERN_HELO",     "POSTERN_AUTH",      "POSTERN_SKIP",
    "POSTERN_RELEASED", "TCPREMOTEIP",      "TCPREMOTEHOST",     "POSTERN_PARENT_MID"};

}  // namespace

Environment kept_variables(const Environment& environment) {
  Environment kept;
  for (const std::string_view name : kKept) {
    const std::optional<std::string_view> value = environment.get(name);
    if (value && value->find('\0') == std::string_view::npos) kept.set(name, *value);
  }
  return kept;
}

}  // namespace postern
