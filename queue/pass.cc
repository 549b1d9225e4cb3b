#include "queue/pass.h"

#include <algorithm>
#include <optional>
#include <string>

#include "lib/log.h"
#include "lib/text.h"
#include "queue/carry_out.h"
#include "queue/diagnosis.h"

namespace postern {

namespace {

constexpr uint64_t kLateSeconds = 60;  // behind its time a recipient was not tried as its profile says
constexpr std::string_view kTooLong = " (tried for too long)";
constexpr std::string_view kTooOften = " (tried too often)";

}  // namespace

bool is_due(uint64_t last, uint64_t next, uint64_t longest_wait, uint64_t now_seconds) {
  return next <= now_seconds || last > now_seconds || next - now_seconds > longest_wait;
}

void fail_as_asked(Delivery& delivery) {
  const std::optional<std::string_view> text = delivery.queued.kept.get("POSTERN_BOUNCE");
  if (!text) return;
  const bool has_status = diagnose(*text, '5').status != "5.0.0" || text->starts_with("5.0.0");
  const std::string why = (has_status ? "" : "5.7.1 ") + printable(*text);
  for (size_t rid = 0; rid < delivery.queued.states.size(); ++rid) {
    if (delivery.queued.states[rid] == RecipientState::pending) delivery.failed.try_emplace(rid, why);
  }
}

void fail_waiting(Delivery& delivery, const BounceChoice& choice, uint64_t now_seconds) {
  const Attempts& attempts = delivery.attempts;
  for (const auto& [rid, reply] : attempts.replies) {
    if (rid >= delivery.queued.states.size() || delivery.queued.states[rid] != RecipientState::pending ||
        delivery.not_due.contains(rid) || delivery.failed.contains(rid)) {
      continue;
    }
    const RetryProfile retry = retry_of(choice.of(delivery.queued, rid));
    const Turn turn = attempts.turn_of(rid);
    const bool in_time = turn.next + kLateSeconds > now_seconds;
    if (turn.tries == 0 || !in_time || !delivery.expired(retry, turn.tries, now_seconds)) continue;
    delivery.failed[rid] = reply + std::string(kTooLong);
  }
}

void fail_spent(Delivery& delivery, const BounceChoice& choice, uint64_t now_seconds) {
  for (auto deferred = delivery.deferred.begin(); deferred != delivery.deferred.end();) {
    const auto& [rid, why] = *deferred;
    const BounceProfile& profile = choice.of(delivery.queued, rid);
    const unsigned tries = delivery.attempts.turn_of(rid).tries;  // without this one
    const bool expired = delivery.expired(retry_of(profile), tries, now_seconds);
    if (!expired && tries < profile.max_retries) {
      ++deferred;
      continue;
    }
    delivery.failed[rid] = why + std::string(expired ? kTooLong : kTooOften);
    deferred = delivery.deferred.erase(deferred);
  }
}

namespace {

// As a Python tuple of the reply code and the reply's lines, which Cisco's log has. What printable() leaves
// alone and would end a string there gets a backslash.
std::string quoted_response(std::string_view report) {
  const Said said = said_in(report);
  std::string text;
  for (const char c :
       printable(said.status + (said.status.empty() || said.text.empty() ? "" : " ") + said.text)) {
    if (c == '\'' || c == '"') text += '\\';
    text += c;
  }
  return "\"('" + (said.code.empty() ? "000" : said.code) + "', ['" + text + "'])\"";
}

std::string host_field(std::string_view report) {
  const size_t said = report.find(" said: ");
  if (said == std::string_view::npos) return {};
  return " Host: " + printable(report.substr(0, std::min(said, report.find(' '))));
}

}  // namespace

void log_pass(const Delivery& delivery) {
  const std::string id = std::to_string(delivery.mid);
  const Envelope& envelope = delivery.queued.envelope;
  LogLines log;
  const auto tell = [&](std::string_view what, char status_class,
                        const std::map<size_t, std::string>& recipients) {
    for (const auto& [rid, why] : recipients) {
      const std::string status = diagnose(why, status_class).status;
      log.info(std::string(what) + ": " + id + ":" + std::to_string(rid) + " From:<" +
               printable(envelope.sender) + "> To:<" + printable(envelope.recipients.at(rid).address) +
               "> Reason: \"" + status + " - " + std::string(status_words(status)) +
               "\" Response: " + quoted_response(why) + host_field(why));
    }
  };
  tell("Bounced", '5', delivery.failed);
  tell("Delayed", '4', delivery.deferred);
}

namespace {

// When that recipient is tried again. The end of its lifetime comes first: it fails then, not at the next
// try.
uint64_t next_try(const Delivery& delivery, const BounceProfile& profile, unsigned tries,
                  uint64_t now_seconds) {
  const uint64_t next = now_seconds + wait_after(retry_of(profile), tries);
  const uint64_t end = delivery.queued.born / 1000000 + profile.max_queue_lifetime;
  return end > now_seconds ? std::min(next, end) : next;
}

// Notes of `pass` the turns that a reader would not know from its `t` line, or from what was noted before.
void note_turns(const Delivery& delivery, const std::map<size_t, Turn>& turns, Attempts& pass) {
  for (const auto& [rid, turn] : turns) {
    const auto noted = delivery.attempts.turns.find(rid);
    const Turn known = noted == delivery.attempts.turns.end() ? Turn{pass.tries, pass.next} : noted->second;
    if (turn != known) pass.turns[rid] = turn;
  }
}

std::map<size_t, Turn> turns_after(const Delivery& delivery, const BounceChoice& choice,
                                   uint64_t now_seconds) {
  std::map<size_t, Turn> turns;
  for (size_t rid = 0; rid < delivery.queued.states.size(); ++rid) {
    const RecipientState state = delivery.queued.states[rid];
    if (state != RecipientState::pending && state != RecipientState::held) continue;
    Turn turn = delivery.attempts.turn_of(rid);
    if (delivery.deferred.contains(rid)) {
      turn.tries += 1;
      turn.next = next_try(delivery, choice.of(delivery.queued, rid), turn.tries, now_seconds);
    }
    turns.emplace_hint(turns.end(), rid, turn);
  }
  return turns;
}

}  // namespace

uint64_t put_off(const Delivery& delivery, const std::set<size_t>& told, const BounceChoice& choice,
                 uint64_t now_seconds) {
  const bool cut_short = delivery.withdrawn || !delivery.held_back.empty();
  if ((!delivery.tried || cut_short) && delivery.deferred.empty() && told.empty()) {
    return next_time(delivery, delivery.attempts.next, now_seconds);
  }
  Attempts pass{
      .tries = delivery.attempts.tries + 1,
      .last = now_seconds,
      .next = now_seconds + wait_after(retry_of(choice.profiles.standard()), delivery.attempts.tries + 1),
      .flushes = delivery.flushes,
      .replies = delivery.deferred,
      .turns = {},
      .warned = delivery.attempts.warned,
      .untold = {},
      // An order that is met in the pass to come counts as one that nobody has read.
      .bytes = delivery.orders_came ? 0 : delivery.attempts.bytes};
  for (auto& [rid, warnings] : pass.warned) warnings.last = now_seconds;
  const std::map<size_t, Turn> turns = turns_after(delivery, choice, now_seconds);
  // A success that is still to be told waits as DEFAULT says; otherwise it is the soonest recipient.
  std::optional<uint64_t> soonest;
  for (const auto& [rid, turn] : turns) {
    if (delivery.queued.states[rid] == RecipientState::pending)
      soonest = std::min(soonest.value_or(turn.next), turn.next);
  }
  if (soonest) pass.next = delivery.attempts.untold.empty() ? *soonest : std::min(*soonest, pass.next);
  pass.next = std::max(pass.next, now_seconds);
  note_turns(delivery, turns, pass);
  if (Result<void> noted = append_attempt(delivery.attempts_path, pass, told, delivery.attempts.replies);
      !noted) {
    log_warning("note the attempt on MID " + std::to_string(delivery.mid), noted.failure());
  }
  return next_time(delivery, pass.next, now_seconds);
}

}  // namespace postern
