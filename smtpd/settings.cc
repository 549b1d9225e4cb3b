#include "smtpd/settings.h"

#include <algorithm>

#include "lib/control.h"
#include "lib/envelope.h"
#include "lib/mid.h"
#include "lib/text.h"
#include "lib/utf8.h"
#include "smtpd/client.h"

namespace postern::smtpd {

namespace {

constexpr uint64_t kMostFreeMib = UINT64_MAX >> 20;  // as bytes it must fit
constexpr uint64_t kLongestSeconds = 86400;

struct Number {
  const char* file;
  uint64_t otherwise;
  uint64_t least;
  uint64_t most;
};
constexpr Number kIdleSeconds = {"timeoutsmtpd", 300, 1, kLongestSeconds};  // RFC 5321, 4.5.3.2.7: 5 minutes
constexpr Number kSessionSeconds = {"sessionseconds", 3600, 1, kLongestSeconds};
constexpr Number kCommandBytes = {"commandbytes", 2048, kLeastCommandBytes, kMostCommandBytes};
constexpr Number kMessageBytes = {"databytes", 52428800, 0, UINT64_MAX};
constexpr Number kRecipients = {"maxrcpt", 1000, 1, kRecipientLimit};
constexpr Number kLineBytes = {"linebytes", 0, 0, UINT64_MAX};
constexpr Number kHeaderBytes = {"headerbytes", 262144, 0, UINT64_MAX};
constexpr Number kHops = {"maxhops", 100, 1, 10000};  // RFC 5321, 6.3: 100 at least
constexpr Number kFreeMib = {"minfreememory", 256, 0, kMostFreeMib};
constexpr Number kErrors = {"maxerrors", 20, 1, 1000000};
constexpr Number kCommands = {"maxcommands", 100, 1, 1000000};
constexpr Number kAuthTries = {"authtries", 3, 1, 1000};

Result<uint64_t> read_number(const Number& number) {
  Result<uint64_t> value = control_number_or(number.file, number.otherwise);
  if (!value) return value;
  return std::clamp(*value, number.least, number.most);
}

Result<void> read_into(const Number& number, uint64_t& to) {
  Result<uint64_t> value = read_number(number);
  if (!value) return value.failure();
  to = *value;
  return {};
}

// The host's own limit, or the policy's where that is stricter. 0 is none.
uint64_t stricter(uint64_t ours, uint64_t of_policy) {
  if (ours == 0 || of_policy == 0) return std::max(ours, of_policy);
  return std::min(ours, of_policy);
}

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

Result<BareLineEnds> read_barelf() {
  Result<std::string> said = control_line_or("barelf", "refuse");
  if (!said) return said.failure();
  if (*said == "refuse") return BareLineEnds::refuse;
  if (*said == "strip") return BareLineEnds::strip;
  if (*said == "allow") return BareLineEnds::allow;
  return temporary(home_path("control/barelf") + ":1: \"" + printable(*said, 40) +
                       "\" is not known; write refuse, strip or allow",
                   55);
}

void set_connection(Settings& settings, const Environment& environment) {
  settings.remote_ip = plain(environment.get_or("TCPREMOTEIP", ""));
  settings.remote_host = plain(environment.get_or("TCPREMOTEHOST", ""));
  settings.local_ip = plain(environment.get_or("TCPLOCALIP", ""));
  settings.listener = environment.get_or("POSTERN_LISTENER", "smtpd");
  const std::optional<uint64_t> icid = parse_mid(environment.get_or("POSTERN_ICID", ""));
  settings.icid = icid ? *icid : make_mid();
  if (const std::optional<std::string_view> suffix = environment.get("RELAYCLIENT"))
    settings.relay_suffix = *suffix;
}

// control/scanning: deferred puts mail from outside into the work queue, to be scanned after the 250. Mail of
// relay clients, that between ourselves among it, is always scanned in the conversation.
Result<std::string> queue_program(const Environment& environment) {
  if (const std::optional<std::string_view> given = environment.get("QMAILQUEUE")) return std::string(*given);
  if (environment.get("RELAYCLIENT") || !environment.get_or("POSTERN_AUTH", "").empty())
    return std::string("@scanq");
  Result<std::string> scanning = control_line_or("scanning", "inline");
  if (!scanning) return scanning.failure();
  return std::string(*scanning == "deferred" ? "@work" : "@scanq");
}

}  // namespace

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
  // Mail of our users is scanned in the conversation, as that of relay clients is.
  settings.user_queue_program = environment.get_or("QMAILQUEUE", "@scanq");
  if (Result<void> done = read_into(kIdleSeconds, settings.idle_seconds); !done) return done.failure();
  if (Result<void> done = read_into(kSessionSeconds, settings.session_seconds); !done) return done.failure();
  if (Result<void> done = read_into(kCommandBytes, settings.command_bytes); !done) return done.failure();
  if (const std::optional<std::string_view> said = environment.get("DATABYTES")) {
    settings.given_message_limit_bytes = parse_number(*said);
    if (!settings.given_message_limit_bytes)
      return temporary("read DATABYTES: \"" + printable(*said, 40) + "\" is not a number", 55);
  }
  return settings;
}

Result<uint64_t> read_message_limit(const Settings& settings) {
  if (settings.given_message_limit_bytes) return *settings.given_message_limit_bytes;
  Result<uint64_t> bytes = read_number(kMessageBytes);
  if (!bytes) return bytes;
  return stricter(*bytes, settings.policy.max_message_size);
}

Result<RecipientRules> read_recipient_rules(const Settings& settings) {
  RecipientRules rules;
  if (Result<void> done = read_into(kRecipients, rules.limit); !done) return done.failure();
  rules.limit = stricter(rules.limit, settings.policy.max_recipients_per_message);
  if (settings.relay_suffix) return rules;  // any domain will do
  Result<RecipientHosts> hosts = RecipientHosts::read(settings.me);
  if (!hosts) return hosts.failure();
  static_cast<RecipientHosts&>(rules) = std::move(*hosts);
  return rules;
}

Result<MessageLimits> read_message_rules(const Settings& /*settings*/) {
  MessageLimits limits;
  Result<BareLineEnds> bare_line_ends = read_barelf();
  if (!bare_line_ends) return bare_line_ends.failure();
  limits.text.bare_line_ends = *bare_line_ends;
  if (Result<void> done = read_into(kLineBytes, limits.text.line_bytes); !done) return done.failure();
  if (Result<void> done = read_into(kHeaderBytes, limits.header_bytes); !done) return done.failure();
  if (Result<void> done = read_into(kHops, limits.hops); !done) return done.failure();
  Result<uint64_t> free_mib = read_number(kFreeMib);
  if (!free_mib) return free_mib.failure();
  limits.least_free_bytes = *free_mib << 20;
  return limits;
}

Result<uint64_t> read_error_limit(const Settings& /*settings*/) {
  return read_number(kErrors);
}

Result<uint64_t> read_command_limit(const Settings& /*settings*/) {
  return read_number(kCommands);
}

Result<uint64_t> read_auth_tries(const Settings& /*settings*/) {
  return read_number(kAuthTries);
}

Result<std::string> read_auth_mechanisms(const Settings& /*settings*/) {
  Result<std::string> line = control_line_or("authmechanisms", "SCRAM-SHA-256 PLAIN LOGIN");
  if (!line) return line;
  std::string mechanisms;
  for (const std::string_view word : words(*line))
    mechanisms.append(mechanisms.empty() ? "" : " ").append(printable(word, 40));
  return mechanisms;
}

Result<SendAs> read_send_as(const Settings& settings) {
  Result<std::optional<std::string>> text = control_text("sendas");
  if (!text) return text.failure();
  Result<std::optional<std::vector<std::string>>> locals = control_list("locals");
  if (!locals) return locals.failure();
  return SendAs::parse(text->value_or(""), home_path("control/sendas"),
                       locals->value_or(std::vector<std::string>{settings.me}));
}

Result<SenderExceptions> read_sender_exceptions(const Settings& /*settings*/) {
  return SenderExceptions::open();
}

Result<std::string> read_dns_program(const Settings& /*settings*/) {
  return control_line_or("dnsq", "@dnsq");
}

}  // namespace postern::smtpd
