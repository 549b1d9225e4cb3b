#include "remote/settings.h"

#include <algorithm>
#include <array>
#include <optional>

#include "lib/control.h"
#include "lib/text.h"

namespace postern {

namespace {

constexpr uint64_t kTimeoutLimitSeconds = 86400;

struct TimeoutFile {
  std::string_view name;
  int64_t SmtpTimeouts::*seconds;
};
constexpr std::array<TimeoutFile, 9> kPhaseTimeouts = {{
    {"timeoutgreeting", &SmtpTimeouts::greeting},
    {"timeouthelo", &SmtpTimeouts::hello},
    {"timeoutstarttls", &SmtpTimeouts::starttls},
    {"timeoutmail", &SmtpTimeouts::mail},
    {"timeoutrcpt", &SmtpTimeouts::rcpt},
    {"timeoutdata", &SmtpTimeouts::data},
    {"timeoutblock", &SmtpTimeouts::block},
    {"timeoutdot", &SmtpTimeouts::end},
    {"timeoutrset", &SmtpTimeouts::reset},
}};

Result<void> read_timeout(const TimeoutFile& file, SmtpTimeouts& timeouts) {
  Result<uint64_t> seconds = control_number_or(file.name, static_cast<uint64_t>(timeouts.*file.seconds));
  if (!seconds) return seconds.failure();
  if (*seconds == 0 || *seconds > kTimeoutLimitSeconds)
    return temporary("read control/" + std::string(file.name) + ": write 1 to 86400 seconds", 55);
  timeouts.*file.seconds = static_cast<int64_t>(*seconds);
  return {};
}

// control/timeoutremote, where it exists, goes before the files of the phases: those are always there in a
// new instance.
Result<void> read_timeouts(SmtpTimeouts& timeouts) {
  if (Result<void> connect = read_timeout({"timeoutconnect", &SmtpTimeouts::connect}, timeouts); !connect)
    return connect;
  Result<std::optional<std::string>> all = control_line("timeoutremote");
  if (!all) return all.failure();
  for (const TimeoutFile& file : kPhaseTimeouts) {
    const TimeoutFile used{all->has_value() ? "timeoutremote" : file.name, file.seconds};
    if (Result<void> taken = read_timeout(used, timeouts); !taken) return taken;
  }
  return {};
}

Result<void> read_families(std::vector<IpFamily>& families) {
  Result<std::string> line = control_line_or("ipfamilies", "ipv6 ipv4");
  if (!line) return line.failure();
  families.clear();
  for (const std::string_view word : words(*line)) {
    const bool v6 = equal_ignoring_case(word, "ipv6");
    const IpFamily family = v6 ? IpFamily::v6 : IpFamily::v4;
    const bool known = v6 || equal_ignoring_case(word, "ipv4");
    if (!known || std::find(families.begin(), families.end(), family) != families.end()) {
      families.clear();
      break;
    }
    families.push_back(family);
  }
  if (!families.empty()) return {};
  return temporary("read control/ipfamilies: \"" + printable(*line, 80) +
                       "\" is not ipv6, ipv4 or both in the order in which they are tried",
                   55);
}

Result<void> read_8bit_policy(bool& refuse) {
  Result<std::string> line = control_line_or("eightbitmime", "send");
  if (!line) return line.failure();
  refuse = *line == "refuse";
  if (refuse || *line == "send") return {};
  return temporary(
      "read control/eightbitmime: \"" + printable(*line, 80) + "\" is neither \"send\" nor \"refuse\"", 55);
}

Result<void> read_tls(RemoteSettings& settings) {
  static constexpr std::array<std::string_view, 4> kVersions = {"TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"};
  Result<std::string> minimum = control_line_or("tlsminimum", kVersions.at(settings.tls_minimum));
  if (!minimum) return minimum.failure();
  const auto found = std::find_if(kVersions.begin(), kVersions.end(), [&](std::string_view version) {
    return equal_ignoring_case(version, *minimum);
  });
  if (found == kVersions.end()) {
    return temporary("read control/tlsminimum: \"" + printable(*minimum, 80) +
                         "\" is not TLSv1, TLSv1.1, TLSv1.2 or TLSv1.3",
                     55);
  }
  settings.tls_minimum = static_cast<unsigned>(found - kVersions.begin());
  Result<std::string> path = control_line_or("tlscapath", settings.tls_authorities);
  if (!path) return path.failure();
  settings.tls_authorities = *path;
  Result<std::string> sts = control_line_or("stsd", "@stsd");
  if (!sts) return sts.failure();
  settings.sts_program = *sts;
  Result<std::string> reports = control_line_or("tlsrpt", "@tlsrpt");
  if (!reports) return reports.failure();
  settings.tls_report_program = *reports;
  return {};
}

Result<void> read_ignored_extensions(std::vector<std::string>& ignored) {
  Result<std::string> line = control_line_or("ehloignore", "");
  if (!line) return line.failure();
  for (const std::string_view word : words(*line)) ignored.emplace_back(word);
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
  if (Result<void> read = read_families(settings.families); !read) return read.failure();
  if (Result<void> read = read_8bit_policy(settings.refuse_8bit); !read) return read.failure();
  if (Result<void> read = read_tls(settings); !read) return read.failure();
  if (Result<void> read = read_ignored_extensions(settings.ignored_extensions); !read) return read.failure();
  return settings;
}

}  // namespace postern
