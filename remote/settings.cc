#include "remote/settings.h"

#include "lib/control.h"

namespace postern {

namespace {

Result<void> read_timeouts(SmtpTimeouts& timeouts) {
  Result<uint64_t> connect = control_number_or("timeoutconnect", static_cast<uint64_t>(timeouts.connect));
  if (!connect) return connect.failure();
  Result<uint64_t> other = control_number_or("timeoutremote", 0);
  if (!other) return other.failure();
  if (*connect == 0 || *connect > 86400 || *other > 86400) {
    return temporary("read control/timeoutconnect and control/timeoutremote: they are 1 to 86400 seconds",
                     55);
  }
  timeouts.connect = static_cast<int64_t>(*connect);
  if (*other == 0) return {};
  const auto seconds = static_cast<int64_t>(*other);
  timeouts.greeting = timeouts.command = timeouts.data_start = timeouts.data_block = timeouts.data_end =
      seconds;
  return {};
}

Result<std::vector<std::string>> list_or_empty(std::string_view name) {
  Result<std::optional<std::vector<std::string>>> list = control_list(name);
  if (!list) return list.failure();
  return list->value_or(std::vector<std::string>());
}

}  // namespace

Result<RemoteSettings> read_remote_settings() {
  RemoteSettings settings;
  Result<std::string> me = control_me();
  if (!me) return me.failure();
  settings.me = *me;
  Result<std::string> hello = control_line_or("helohost", settings.me);
  if (!hello) return hello.failure();
  settings.hello = *hello;
  if (settings.hello.find_first_not_of(
          "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._[]:") != std::string::npos) {
    return temporary("use control/helohost or control/me: it is no host name", 55);
  }
  Result<std::string> dns = control_line_or("dnsq", "@dnsq");
  if (!dns) return dns.failure();
  settings.dns_program = *dns;
  Result<uint64_t> port = control_number_or("remoteport", settings.port);
  if (!port) return port.failure();
  if (*port == 0 || *port > 65535) return temporary("read control/remoteport: a port is 1 to 65535", 55);
  settings.port = static_cast<uint16_t>(*port);
  if (Result<void> timeouts = read_timeouts(settings.timeouts); !timeouts) return timeouts.failure();
  Result<std::vector<std::string>> more = list_or_empty("moreipme");
  if (!more) return more.failure();
  settings.more_own_addresses = std::move(*more);
  Result<std::vector<std::string>> fewer = list_or_empty("notipme");
  if (!fewer) return fewer.failure();
  settings.not_own_addresses = std::move(*fewer);
  return settings;
}

}  // namespace postern
