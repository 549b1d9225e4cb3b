#include "remote/call_ahead.h"

#include <time.h>

#include <algorithm>
#include <optional>

#include "lib/child.h"
#include "lib/control.h"
#include "lib/idn.h"
#include "lib/log.h"
#include "lib/mid.h"
#include "lib/text.h"
#include "lib/utf8.h"
#include "remote/routes.h"
#include "remote/smtp_commands.h"
#include "remote/targets.h"

namespace postern {

namespace {

constexpr int64_t kIdleMilliseconds = 5000;  // a kept connection; below the patience of any server
constexpr int64_t kLookMilliseconds = 200;   // whether somebody waits for it
constexpr int64_t kShareWaitMilliseconds = 20;
constexpr size_t kReplyTextLimitBytes = 200;

SmtpTimeouts all_of(int64_t seconds) {
  return {.connect = seconds,
          .greeting = seconds,
          .hello = seconds,
          .starttls = seconds,
          .mail = seconds,
          .rcpt = seconds,
          .data = seconds,
          .block = seconds,
          .end = seconds,
          .reset = seconds};
}

int64_t left_of(int64_t deadline) {
  return std::max<int64_t>(deadline - now_milliseconds(), 0);
}

bool is_full(const ServerReply& reply) {
  return reply.code == 452 || reply.code == 552;  // RFC 5321 4.5.3.1.10: too many recipients
}

std::string reply_text(const ServerReply& reply) {
  return std::to_string(reply.code) + " " + reply.status() + " " +
         printable(reply.text(kReplyTextLimitBytes), kReplyTextLimitBytes);
}

CallAheadAnswer act(CallAheadAction action, const std::string& deferral, std::string why) {
  switch (action) {
    case CallAheadAction::accept:
      return {0, "250 2.1.5 recipient ok", "accepted in spite of it: " + std::move(why)};
    case CallAheadAction::refuse:
      return {111, "550 5.4.3 unable to verify the recipient", std::move(why)};
    case CallAheadAction::defer:
      return {111, deferral, std::move(why)};
  }
  return {111, deferral, std::move(why)};
}

constexpr const char* kTryLater = "451 4.4.3 unable to verify the recipient now, try again later";

// Says that it is no address to ask about.
bool can_be_said(const std::string& address) {
  return address.size() <= kAddressLimitBytes && !domain_of(address).empty() &&
         smtp_address(address).has_value();
}

}  // namespace

CallAhead::CallAhead(RemoteSettings settings, CallAheadProfiles profiles, CallAheadMemory& memory)
    : settings_(std::move(settings)),
      profiles_(std::move(profiles)),
      memory_(memory),
      routes_(home_path("control/smtproutes")) {}

CallAheadAnswer CallAhead::ask(std::string_view profile_name, const std::string& address) {
  const CallAheadProfile* profile = profiles_.find(profile_name);
  const std::string name = printable(profile_name, 64);
  if (profile == nullptr) {
    log_warning("ask about " + printable(address), "control/callahead has no profile " + name);
    return {111, kTryLater, "control/callahead has no profile " + name};
  }
  if (!can_be_said(address)) return {100, "550 5.1.3 recipient address not understood", "no address"};
  const int64_t now = now_milliseconds();
  const Query query{.profile_name = lower(profile_name),
                    .profile = *profile,
                    .address = address,
                    .deadline = now + int64_t{profile->timeout} * 1000};
  if (std::optional<CallAheadAnswer> known = memory_.answers.find(query.profile_name, address, now))
    return *known;
  CallAheadAnswer answer = ask_servers(query);
  log_info("Call-ahead profile " + name + " To: <" + printable(address) + "> " + printable(answer.reply) +
           " (" + printable(answer.why) + ")");
  return answer;
}

CallAheadAnswer CallAhead::ask_servers(const Query& query) {
  std::string way;
  bool discards = false;
  Result<std::vector<Target>> targets = targets_of(query, way, discards);
  if (discards) return {0, "250 2.1.5 recipient ok", "its route is /dev/null"};
  if (!targets) return act(query.profile.failure, kTryLater, targets.failure().text);
  if (has_session_for(query, way)) {
    const Outcome outcome = ask_session(query);
    if (outcome.decided && !is_full(outcome.reply)) return answer_of(query, outcome.reply);
    close();
  }
  Failure last = temporary("no server to ask");
  for (const Target& target : *targets) {
    if (left_of(query.deadline) == 0) break;
    Outcome outcome = ask_target(query, target, way);
    if (outcome.decided) return answer_of(query, outcome.reply);
    last = std::move(outcome.failure);
    close();
  }
  return act(query.profile.failure, kTryLater, last.text);
}

// `way` names what one connection may serve.
Result<std::vector<Target>> CallAhead::targets_of(const Query& query, std::string& way, bool& discards) {
  RemoteSettings settings = settings_;
  settings.dns_milliseconds = left_of(query.deadline);
  way = query.profile_name + " ";
  std::vector<Target> targets;
  std::optional<Failure> last;
  if (query.profile.servers.empty()) {
    Result<const RouteTable*> table = routes_.current();
    if (!table) return table.failure();
    Result<std::string> domain = a_labels(domain_of(query.address));
    if (!domain) return domain.failure();
    const Route* own = (*table)->find_address(local_part_of(query.address), *domain);
    const Route& route = own == nullptr ? (*table)->find(*domain) : *own;
    discards = route.discards();
    if (discards) return targets;
    const bool by_mx = std::any_of(route.hosts.begin(), route.hosts.end(),
                                   [](const RouteHost& host) { return host.hop.way == NextHop::Way::mx; });
    way += route.key + (by_mx ? " of " + *domain : "");
    Result<std::vector<Target>> found = targets_of_route(*domain, route, settings);
    if (!found) return found;
    targets = std::move(*found);
  } else {
    const std::vector<NextHop>& servers = query.profile.servers;
    const size_t first = memory_.shares.next_turn();
    for (size_t i = 0; i < servers.size(); ++i) {
      const NextHop& server = servers[(first + i) % servers.size()];
      // An address may be another server of this host; a name is looked up as a domain, by MX, then A.
      const bool literal = !address_literal(server.host).empty();
      const NextHop hop{.way = NextHop::Way::mx, .host = literal ? server.host : "", .port = server.port};
      Result<std::vector<Target>> found = find_targets(server.host, hop, settings);
      if (!found) last = found.failure();
      if (found) targets.insert(targets.end(), found->begin(), found->end());
    }
  }
  if (targets.empty()) return last ? *last : temporary("no server to ask");
  for (Target& target : targets) {
    const bool same_family = (query.profile.interface.find(':') == std::string::npos) ==
                             (target.address.find(':') == std::string::npos);
    if (!is_local_socket(target) && same_family) target.source = query.profile.interface;
  }
  return targets;
}

bool CallAhead::has_session_for(const Query& query, const std::string& way) {
  return session_ && session_way_ == way && recipients_ < query.profile.max_recipients &&
         !has_8bit_byte(query.address) && session_->quiet();
}

CallAhead::Outcome CallAhead::ask_target(const Query& query, const Target& target, const std::string& way) {
  if (Result<void> opened = open(query, target, way); !opened) return {.failure = opened.failure()};
  return ask_session(query);
}

Result<void> CallAhead::open(const Query& query, const Target& target, const std::string& way) {
  close();
  const std::string server = target_text(target);
  while (!memory_.shares.take(server, query.profile.max_connections)) {
    if (left_of(query.deadline) == 0)
      return temporary("wait for a connection to " + server + ": " +
                       std::to_string(query.profile.max_connections) + " are in use");
    const timespec pause{0, kShareWaitMilliseconds * 1000000};
    ::nanosleep(&pause, nullptr);
  }
  const int64_t seconds = std::max<int64_t>((left_of(query.deadline) + 999) / 1000, 1);
  Result<std::unique_ptr<SmtpSession>> session = SmtpSession::connect(target, make_mid(), all_of(seconds));
  if (!session) {
    memory_.shares.give_back();
    return session.failure();
  }
  session_ = std::move(*session);
  session_->give_up = query.deadline;
  session_way_ = way;
  recipients_ = 0;
  if (Result<void> greeted = session_->greet(settings_); !greeted) return greeted;
  return begin_transaction(query);
}

Result<void> CallAhead::begin_transaction(const Query& query) {
  std::string mail = "MAIL FROM:<" + query.profile.mail_from + ">";
  if (has_8bit_byte(query.address) || has_8bit_byte(query.profile.mail_from)) {
    if (!session_->extensions().smtputf8)
      return temporary(target_text(session_->target()) + " does not offer SMTPUTF8");
    mail += " SMTPUTF8";
  }
  if (Result<void> sent = session_->send(mail + "\r\n", Phase::mail); !sent) return sent;
  Result<ServerReply> reply = session_->read_reply(Phase::mail);
  if (!reply) return reply.failure();
  if (!reply->is_class(2)) return temporary("MAIL: " + session_->said(*reply));
  return {};
}

CallAhead::Outcome CallAhead::ask_session(const Query& query) {
  session_->give_up = query.deadline;
  ++recipients_;
  const std::string rcpt = "RCPT TO:<" + *smtp_address(query.address) + ">\r\n";
  if (Result<void> sent = session_->send(rcpt, Phase::rcpt); !sent) return {.failure = sent.failure()};
  Result<ServerReply> reply = session_->read_reply(Phase::rcpt);
  if (!reply) return {.failure = reply.failure()};
  session_->idle_since = now_milliseconds();
  // What says nothing of the recipient: the server goes, or has not understood.
  const bool decides = reply->is_class(2) || (reply->is_class(4) && reply->code != 421) ||
                       (reply->is_class(5) && reply->code != 521 && reply->code >= 510);
  if (!decides) return {.failure = temporary(session_->said(*reply))};
  return {.decided = true, .reply = std::move(*reply)};
}

CallAheadAnswer CallAhead::answer_of(const Query& query, const ServerReply& reply) {
  const std::string by = "said by " + target_text(session_->target());
  if (recipients_ >= query.profile.max_recipients || has_8bit_byte(query.address)) close();
  if (reply.is_class(4))
    return act(query.profile.temporary_failure, reply_text(reply), by + ": " + reply_text(reply));
  const CallAheadAnswer answer{reply.is_class(2) ? 0 : 100, reply_text(reply), by};
  memory_.answers.add(query.profile_name, query.address, answer,
                      now_milliseconds() + int64_t{query.profile.cache_ttl} * 1000);
  return answer;
}

int64_t CallAhead::close_idle() {
  if (!session_) return -1;
  const int64_t left = session_->idle_since + kIdleMilliseconds - now_milliseconds();
  if (left > 0 && session_->usable && !memory_.shares.is_wanted()) return std::min(left, kLookMilliseconds);
  close();
  return -1;
}

void CallAhead::close() {
  if (session_) session_->quit();
  session_.reset();
  memory_.shares.give_back();
}

}  // namespace postern
