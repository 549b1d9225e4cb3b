#include "inject/pickup_settings.h"

#include <pwd.h>

#include <algorithm>

#include "lib/control.h"
#include "lib/envelope.h"
#include "lib/environment.h"
#include "lib/text.h"

namespace postern::inject {

namespace {

constexpr uint64_t kDefaultMessageLimitBytes = 52428800;  // as postern-smtpd's
constexpr uint64_t kDefaultLeastFreeMib = 256;
constexpr uint64_t kDefaultServing = 10;
constexpr uint64_t kMostServing = 200;

// One user a line, by name or number. Without a single line nobody may.
Result<void> read_users(PickupSettings& settings) {
  Result<std::optional<std::vector<std::string>>> lines = control_list("pickupusers");
  if (!lines) return lines.failure();
  if (!lines->has_value()) return {};
  settings.everybody = false;
  for (const std::string& line : **lines) {
    if (const std::optional<uint64_t> number = parse_number(line); number && *number < UINT32_MAX) {
      settings.users.push_back(static_cast<uid_t>(*number));
      continue;
    }
    const struct passwd* account = ::getpwnam(line.c_str());
    if (account == nullptr)
      return permanent("read " + home_path("control/pickupusers") + ": there is no user \"" +
                           printable(line, 60) + "\"; write one name or number a line",
                       55);
    settings.users.push_back(account->pw_uid);
  }
  return {};
}

}  // namespace

bool PickupSettings::may(uid_t uid) const {
  return everybody || std::find(users.begin(), users.end(), uid) != users.end();
}

Result<PickupSettings> read_pickup_settings() {
  PickupSettings settings;
  settings.queue_program = Environment::of_process().get_or("QMAILQUEUE", "@scanq");
  Result<std::string> me = control_me();
  if (!me) return me.failure();
  settings.me = printable(*me, 255);
  Result<uint64_t> limit = control_number_or("databytes", kDefaultMessageLimitBytes);
  if (!limit) return limit.failure();
  settings.message_limit_bytes = *limit;
  Result<uint64_t> least = control_number_or("minfreememory", kDefaultLeastFreeMib);
  if (!least) return least.failure();
  settings.least_free_mib = std::min(*least, UINT64_MAX >> 20);
  Result<uint64_t> recipients = control_number_or("maxrcpt", settings.most_recipients);
  if (!recipients) return recipients.failure();
  settings.most_recipients = std::clamp<uint64_t>(*recipients, 1, kRecipientLimit);
  Result<uint64_t> serving = control_number_or("concurrencypickup", kDefaultServing);
  if (!serving) return serving.failure();
  settings.turns.serving = static_cast<size_t>(std::clamp<uint64_t>(*serving, 1, kMostServing));
  settings.turns.serving_of_user = std::max<size_t>(1, settings.turns.serving / 2);
  if (Result<void> users = read_users(settings); !users) return users.failure();
  return settings;
}

}  // namespace postern::inject
