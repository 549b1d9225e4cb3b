#include "queue/kept.h"

#include <array>
#include <string>
#include <string_view>

#include "lib/log.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr std::array<std::string_view, 18> kKept = {
    "POSTERN_ICID",         "POSTERN_LISTENER", "POSTERN_DIRECTION",      "POSTERN_SENDERGROUP",
    "POSTERN_POLICY",       "POSTERN_HELO",     "POSTERN_AUTH",           "POSTERN_SKIP",
    "POSTERN_RELEASED",     "TCPREMOTEIP",      "TCPREMOTEHOST",          "POSTERN_PARENT_MID",
    "POSTERN_BOUNCE",       "POSTERN_SOURCE",   "POSTERN_BOUNCE_PROFILE", "POSTERN_SIGN",
    "POSTERN_TLS_REQUIRED", "POSTERN_SPF"};

constexpr std::string_view kTag = "POSTERN_TAG_";
// Bytes of all tags together: they travel with every job to rspawn, beside 48 KiB of addresses.
constexpr size_t kTagsLimit = 8 * 1024;

// control/altsrchost may choose a gateway by them.
void keep_tags(const Environment& environment, Environment& kept) {
  size_t bytes = 0;
  for (const auto& [name, value] : environment.pairs()) {
    if (!name.starts_with(kTag) || value.find('\0') != std::string::npos) continue;
    bytes += name.size() + value.size() + 2;
    if (bytes > kTagsLimit) {
      log_warning("keep " + printable(name, 80) + " with the message",
                  "its tags have more than " + std::to_string(kTagsLimit) + " bytes");
      return;
    }
    kept.set(name, value);
  }
}

}  // namespace

Environment kept_variables(const Environment& environment) {
  Environment kept;
  for (const std::string_view name : kKept) {
    const std::optional<std::string_view> value = environment.get(name);
    if (value && value->find('\0') == std::string_view::npos) kept.set(name, *value);
  }
  keep_tags(environment, kept);
  // It says that this request may come again.
  if (environment.get("POSTERN_DEFERRED") || environment.get("POSTERN_RELEASED")) {
    if (const std::optional<std::string_view> work = environment.get("POSTERN_WORK"))
      kept.set("POSTERN_WORK", *work);
  }
  return kept;
}

}  // namespace postern
