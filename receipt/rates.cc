#include "receipt/rates.h"

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "lib/control.h"
#include "lib/log.h"
#include "lib/text.h"
#include "receipt/custom_reply.h"
#include "receipt/rated_line.h"

namespace postern {

namespace {

constexpr uint32_t kHour = 3600;
using What = RateCheck::What;

// Each limit: its name (the same for all listeners, whose thresholds may differ), its own words in the
// policy, what is said without them, and the parameter that sets it.
struct Limit {
  std::string_view name;
  CustomReply MailFlowPolicy::*custom;
  const char* code;
  const char* status;
  const char* text;
  const char* parameter;
};
constexpr std::array kLimits = {
    Limit{"connections", &MailFlowPolicy::too_many_connections, "421", "4.7.0",
          "too many connections from your address", "max_connections"},
    Limit{"connection-rate", &MailFlowPolicy::too_many_connections, "421", "4.7.0",
          "too many connections from your address within an hour", "max_connections_per_hour"},
    Limit{"recipients", &MailFlowPolicy::recipient_rate, "452", "4.7.1",
          "too many recipients from your address within an hour", "max_recipients_per_hour"},
    Limit{"sender", &MailFlowPolicy::sender_rate, "452", "4.7.1",
          "too many recipients for this sender; try again later", "max_recipients_per_sender"},
    Limit{"invalid", &MailFlowPolicy::harvest, "421", "4.7.1",
          "too many invalid recipients from your address", "max_invalid_recipients"},
    Limit{"user-connections", &MailFlowPolicy::user_rate, "421", "4.7.0", "too many connections of this user",
          "max_connections_per_user"},
    Limit{"user-minute", &MailFlowPolicy::user_rate, "452", "4.7.1",
          "too many messages of this user within a minute", "max_messages_per_minute"},
    Limit{"user-hour", &MailFlowPolicy::user_rate, "452", "4.7.1",
          "too many messages of this user within an hour", "max_messages_per_hour"},
    Limit{"user-day", &MailFlowPolicy::user_rate, "452", "4.7.1", "too many messages of this user today",
          "max_messages_per_day"},
};

const Limit& limit_named(std::string_view name) {
  return *std::find_if(kLimits.begin(), kLimits.end() - 1,
                       [&](const Limit& limit) { return limit.name == name; });
}

void add(std::vector<RateCheck>& checks, What what, std::string_view name, const std::string& key,
         uint32_t seconds, uint32_t limit) {
  if (limit == 0) return;
  checks.push_back({.what = what,
                    .name = std::string(name),
                    .key = key.substr(0, kRateKeyBytes),
                    .seconds = seconds,
                    .limit = limit});
}

}  // namespace

bool sender_listed(std::string_view sender, std::span<const std::string> list) {
  const size_t at = sender.rfind('@');
  const std::string_view with_at = at == std::string_view::npos ? std::string_view() : sender.substr(at);
  return std::any_of(list.begin(), list.end(), [&](std::string_view entry) {
    if (!entry.starts_with('@')) return equal_ignoring_case(entry, sender);
    if (!entry.starts_with("@.")) return equal_ignoring_case(entry, with_at);
    entry.remove_prefix(1);
    return with_at.size() > entry.size() + 1 &&
           equal_ignoring_case(with_at.substr(with_at.size() - entry.size()), entry);
  });
}

Rates::Rates(const MailFlowPolicy& policy, std::string_view ip, AskRates ask)
    : policy_(policy), ip_(ip), ask_(std::move(ask)) {}

Decision Rates::connection() {
  if (!limits()) return pass(std::string(kRatesStep));
  std::vector<RateCheck> checks;
  add(checks, What::slot, "connections", network(), 0, policy_.max_connections);
  add(checks, What::take, "connection-rate", network(), kHour, policy_.max_connections_per_hour);
  // Who was sent away for harvesting would else go on with one address a connection.
  if (policy_.drop_harvesters)
    add(checks, What::look, "invalid", network(), kHour, policy_.max_invalid_recipients);
  return decide(checks);
}

Decision Rates::authenticated(std::string_view user) {
  if (!limits() || user.empty()) return pass(std::string(kRatesStep));
  std::vector<RateCheck> checks;
  add(checks, What::slot, "user-connections", lower(user), 0, policy_.max_connections_per_user);
  return decide(checks);
}

Decision Rates::message(std::string_view user) {
  if (!limits()) return pass(std::string(kRatesStep));
  std::vector<RateCheck> checks;
  if (!user.empty()) {
    const std::string key = lower(user);
    add(checks, What::take, "user-minute", key, 60, policy_.max_messages_per_minute);
    add(checks, What::take, "user-hour", key, kHour, policy_.max_messages_per_hour);
    add(checks, What::take, "user-day", key, kRateDay, policy_.max_messages_per_day);
  }
  return decide(checks);
}

Decision Rates::recipient(std::string_view sender) {
  Decision decision = of_recipient(sender, What::take);
  had_recipient_over_ = !decision.passes();
  return decision;
}

Decision Rates::recipient_left(std::string_view sender) {
  return had_recipient_over_ ? of_recipient(sender, What::look) : pass(std::string(kRatesStep));
}

// A null reverse-path is nobody's: all bounces of the world have it.
Decision Rates::of_recipient(std::string_view sender, What what) {
  if (!limits()) return pass(std::string(kRatesStep));
  std::vector<RateCheck> checks;
  add(checks, what, "recipients", network(), kHour, policy_.max_recipients_per_hour);
  if (!policy_.drop_harvesters)
    add(checks, What::look, "invalid", network(), kHour, policy_.max_invalid_recipients);
  const size_t of_address = checks.size();
  if (!sender.empty() && policy_.sender_minutes != 0)
    add(checks, what, "sender", lower(sender), policy_.sender_minutes * 60,
        policy_.max_recipients_per_sender);
  Decision decision = decide(checks);
  // The list is read only when it would make a difference.
  if (decision.passes() || checks.size() == of_address || !is_exempt(sender)) return decision;
  checks.resize(of_address);
  return decide(checks);
}

Decision Rates::invalid_recipient() {
  if (!limits()) return pass(std::string(kRatesStep));
  std::vector<RateCheck> checks;
  add(checks, What::take, "invalid", network(), kHour, policy_.max_invalid_recipients);
  return decide(checks);
}

Decision Rates::decide(std::span<const RateCheck> checks) {
  if (checks.empty()) return pass(std::string(kRatesStep));
  if (!ask_) {
    // std::function wants what can be copied.
    ask_ = [line = std::make_shared<RatedLine>()](std::span<const RateCheck> asked) {
      return line->ask(asked);
    };
  }
  const std::optional<RateAnswer> answer = ask_(checks);
  if (!answer) return pass(std::string(kRatesStep), "rated gives no answer");
  if (!answer->over) return pass(std::string(kRatesStep));
  return refusal(checks[answer->check], answer->count);
}

// RFC 5321, 3.8: 421 says that we close the connection, and then we do.
Decision Rates::refusal(const RateCheck& check, uint64_t count) const {
  const Limit& limit = limit_named(check.name);
  SmtpReply reply =
      reply_of(policy_.*limit.custom, {.code = limit.code, .status = limit.status, .text = limit.text});
  const bool goes_on = check.name == "invalid" && !policy_.drop_harvesters;
  if (goes_on && reply.code == "421") reply.code = "452";
  // A client that has no place goes, whatever it is told.
  const bool ends = reply.code == "421" || check.name.starts_with("connection") ||
                    (check.name == "invalid" && policy_.drop_harvesters);
  return {.kind = ends ? Decision::Kind::close : Decision::Kind::refuse,
          .reply = std::move(reply),
          .step = std::string(kRatesStep),
          .why = "policy " + policy_.name + ": " + limit.parameter + " " + std::to_string(check.limit) +
                 " of " + printable(check.key, 320) + ", which has " + std::to_string(count)};
}

bool Rates::is_exempt(std::string_view sender) {
  Result<std::optional<std::vector<std::string>>> list = control_list("senderrateexceptions");
  if (!list) log_warning("read control/senderrateexceptions", list.failure());
  return list && list->has_value() && sender_listed(sender, **list);
}

const std::string& Rates::network() {
  if (network_.empty()) network_ = network_key(ip_, policy_.similarity_v4, policy_.similarity_v6);
  return network_;
}

}  // namespace postern
