#include "smtpd/settings.h"

#include <algorithm>

#include "lib/control.h"
#include "lib/envelope.h"
#include "lib/mid.h"
#include "lib/text.h"

namespace postern::smtpd {

namespace {

constexpr uint64_t kDefaultMessageLimitBytes = 52428800;
constexpr uint64_t kDefaultLeastFreeMib = 256;
constexpr uint64_t kMostFreeMib = UINT64_MAX >> 20;  // as bytes it must fit
constexpr uint64_t kDefaultIdleSeconds = 300;        // RFC 5321, 4.5.3.2.7: at least 5 minutes
constexpr uint64_t kDefaultSessionSeconds = 3600;
constexpr uint64_t kDefaultRecipientLimit = 1000;
constexpr uint64_t kLongestSeconds = 86400;

// Values from the network's side (a host name comes from somebody's DNS) must not look like header syntax.
std::string plain(std::string_view value, size_t limit = 255) {
  std::string safe(value.substr(0, limit));
  const auto unsafe = [](char c) {
    const bool alphanumeric = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return !alphanumeric && std::string_view(".-_:").find(c) == std::string_view::npos;
  };
  std::replace_if(safe.begin(), safe.end(), unsafe, '?');
  return safe.empty() ? "unknown" : safe;
}

Result<std::vector<std::string>> our_domains(const std::string& me) {
  for (const char* name : {"rcpthosts", "locals"}) {
    Result<std::optional<std::vector<std::string>>> list = control_list(name);
    if (!list) return list.failure();
    if (list->has_value()) return std::move(**list);
  }
  return std::vector<std::string>{me};
}

Result<void> set_numbers(Settings& settings, const Environment& environment) {
  struct Number {
    const char* file;
    uint64_t otherwise;
    uint64_t least;
    uint64_t most;
    uint64_t* value;
  };
  const Number numbers[] = {
      {"databytes", kDefaultMessageLimitBytes, 0, UINT64_MAX, &settings.message_limit_bytes},
      {"minfreememory", kDefaultLeastFreeMib, 0, kMostFreeMib, &settings.least_free_mib},
      {"timeoutsmtpd", kDefaultIdleSeconds, 1, kLongestSeconds, &settings.idle_seconds},
      {"sessionseconds", kDefaultSessionSeconds, 1, kLongestSeconds, &settings.session_seconds},
      {"maxrcpt", kDefaultRecipientLimit, 1, kRecipientLimit, &settings.recipient_limit},
  };
  for (const Number& number : numbers) {
    Result<uint64_t> value = control_number_or(number.file, number.otherwise);
    if (!value) return value.failure();
    *number.value = std::clamp(*value, number.least, number.most);
  }
  if (const std::optional<std::string_view> said = environment.get("DATABYTES")) {
    const std::optional<uint64_t> limit = parse_number(*said);
    if (!limit) return temporary("read DATABYTES: \"" + printable(*said, 40) + "\" is not a number", 55);
    settings.message_limit_bytes = *limit;
  }
  return {};
}

void set_connection(Settings& settings, const Environment& environment) {
  settings.remote_ip = plain(environment.get_or("TCPREMOTEIP", ""));
  settings.remote_host = plain(environment.get_or("TCPREMOTEHOST", ""));
  settings.local_ip = plain(environment.get_or("TCPLOCALIP", ""));
  settings.listener = environment.get_or("POSTERN_LISTENER", "smtpd");
  const std::optional<uint64_t> icid = parse_mid(environment.get_or("POSTERN_ICID", ""));
  settings.icid = icid ? *icid : make_mid();
}

// control/scanning: deferred puts mail from outside into the work queue, to be scanned after the 250. Mail of
// relay clients, that between ourselves among it, is always scanned in the conversation.
Result<std::string> queue_program(const Environment& environment) {
  if (const std::optional<std::string_view> given = environment.get("QMAILQUEUE")) return std::string(*given);
  if (environment.get("RELAYCLIENT") || !environment.get_or("POSTERN_AUTH", "").empty()) return std::string("@scanq");
  Result<std::string> scanning = control_line_or("scanning", "inline");
  if (!scanning) return scanning.failure();
  return std::string(*scanning == "deferred" ? "@work" : "@scanq");
}

}  // namespace

bool Settings::is_ours(std::string_view domain) const {
  return domain_listed(domain, our_domains);
}

Result<Settings> read_settings(const Environment& environment) {
  Settings settings;
  set_connection(settings, environment);
  Result<std::string> me = control_me();
  if (!me) return me.failure();
  settings.me = plain(*me);
  Result<std::string> greeting = control_line_or("smtpgreeting", settings.me);
  if (!greeting) return greeting.failure();
  settings.greeting = printable(*greeting, 200);
  Result<std::string> queue = queue_program(environment);
  if (!queue) return queue.failure();
  settings.queue_program = *queue;
  if (Result<void> done = set_numbers(settings, environment); !done) return done.failure();
  if (const std::optional<std::string_view> suffix = environment.get("RELAYCLIENT")) {
    settings.relay_suffix = *suffix;
  } else {
    Result<std::vector<std::string>> domains = our_domains(settings.me);
    if (!domains) return domains.failure();
    settings.our_domains = std::move(*domains);
  }
  return settings;
}

}  // namespace postern::smtpd
