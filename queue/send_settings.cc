#include "queue/send_settings.h"

#include <cstdint>

#include "lib/control.h"
#include "lib/log.h"

namespace postern {

namespace {

Result<Rewriting> read_rewriting(const std::string& me) {
  using Lines = std::optional<std::vector<std::string>>;
  Result<Lines> locals = control_list("locals");
  if (!locals) return locals.failure();
  Result<Lines> virtual_domains = control_list("virtualdomains");
  if (!virtual_domains) return virtual_domains.failure();
  return Rewriting::make(me, locals->value_or(std::vector<std::string>{me}),
                         virtual_domains->value_or(std::vector<std::string>()));
}

// An empty first line, or one that begins with '#', says that double bounces are dropped. Where me is no
// local domain, a postmaster there would be as far away as anybody.
Result<std::string> read_double_bounce_to(const std::string& me, const Rewriting& rewriting) {
  Result<std::optional<std::string>> to = control_line("doublebounceto");
  if (!to) return to.failure();
  std::string address = to->value_or("postmaster");
  if (address.empty() || address.starts_with('#')) return std::string();
  if (address.find('@') != std::string::npos) return address;
  Result<std::string> host = control_line_or(
      "doublebouncehost", rewriting.of("postmaster@" + me).local ? me : rewriting.a_local_domain());
  if (!host) return host.failure();
  return address + "@" + (host->empty() ? me : *host);
}

}  // namespace

Result<SendSettings> read_send_settings() {
  SendSettings settings;
  Result<std::string> me = control_me();
  if (!me) return me.failure();
  Result<Rewriting> rewriting = read_rewriting(*me);
  if (!rewriting) return rewriting.failure();
  settings.rewriting = std::move(*rewriting);
  Result<std::string> double_bounce_to = read_double_bounce_to(*me, settings.rewriting);
  if (!double_bounce_to) return double_bounce_to.failure();
  settings.double_bounce_to = *double_bounce_to;
  const auto number = [](std::string_view name, auto& into) -> Result<void> {
    Result<uint64_t> value = control_number_or(name, into);
    if (!value) return value.failure();
    into = *value;
    return {};
  };
  for (Result<void> read : {number("concurrencylocal", settings.concurrency_local),
                            number("concurrencyremote", settings.concurrency_remote)}) {
    if (!read) return read.failure();
  }
  Result<BounceProfiles> profiles = BounceProfiles::read();
  if (!profiles) return profiles.failure();
  Result<Destinations> destinations = Destinations::read();
  if (!destinations) return destinations.failure();
  settings.bounces = {.profiles = std::move(*profiles), .destinations = std::move(*destinations)};
  for (const std::string& name : settings.bounces.unknown_of_destinations()) {
    log_warning("find the bounce profile \"" + name + "\" of control/destinations",
                "control/bounceprofiles has no such line; it counts as not said");
  }
  return settings;
}

}  // namespace postern
