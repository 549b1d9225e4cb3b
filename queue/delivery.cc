#include "queue/delivery.h"

#include <fcntl.h>
#include <algorithm>
#include <cerrno>

#include "lib/log.h"
#include "lib/text.h"
#include "queue/defer_log.h"
#include "queue/diagnosis.h"
#include "queue/notices.h"
#include "queue/verp.h"

namespace postern {

namespace {

constexpr size_t kRecipientsPerJob = 100;  // RFC 5321 4.5.3.1.8: what every server must take
constexpr unsigned kTriesCounted = 10000;
constexpr size_t kArgumentsPerJob = 48 * 1024;  // bytes; must stay below a request's limit

void write_states(Delivery& delivery, const std::vector<size_t>& recipients, RecipientState state) {
  for (const size_t rid : recipients) {
    delivery.queued.states.at(rid) = state;
    if (Result<void> wrote = write_state(delivery.file.get(), delivery.queued, rid, state); !wrote) {
      log_warning("note the state of MID " + std::to_string(delivery.mid), wrote.failure());
    }
  }
}

// Extras for just this job's recipients, under the addresses that it names them by.
std::string extras_of(const DeliveryJob& job, const Envelope& envelope) {
  Envelope own{.sender = {},
               .recipients = {},
               .ret = envelope.ret,
               .envid = envelope.envid,
               .body = envelope.body,
               .smtputf8 = envelope.smtputf8};
  const size_t first = job.arguments.size() - job.rids.size();
  for (size_t i = 0; i < job.rids.size(); ++i) {
    const Recipient& recipient = envelope.recipients[job.rids[i]];
    own.recipients.push_back({job.arguments[first + i], recipient.notify, recipient.orcpt});
  }
  return serialise_extras(own);
}

// What control/altsrchost chooses the source of a delivery by, and a stage's own choice; and whether the
// message goes without TLS too.
Environment source_variables(const Environment& kept) {
  Environment chosen;
  for (const auto& [name, value] : kept.pairs()) {
    if (name == "POSTERN_SOURCE" || name == "POSTERN_SENDERGROUP" || name == "TCPREMOTEIP" ||
        name == "POSTERN_TLS_REQUIRED" || name.starts_with("POSTERN_TAG_"))
      chosen.set(name, value);
  }
  return chosen;
}

bool has_room_for(const DeliveryJob& job, const std::string& address) {
  size_t bytes = address.size() + 1;
  for (const std::string& argument : job.arguments) bytes += argument.size() + 1;
  return job.rids.size() < kRecipientsPerJob && bytes <= kArgumentsPerJob;
}

}  // namespace

bool Delivery::pending() const {
  return !attempts.untold.empty() ||
         std::any_of(queued.states.begin(), queued.states.end(), [](RecipientState state) {
           return state == RecipientState::pending || state == RecipientState::held;
         });
}

bool Delivery::waits() const {
  if (!attempts.untold.empty()) return true;
  for (size_t rid = 0; rid < queued.states.size(); ++rid) {
    if (queued.states[rid] == RecipientState::pending && !failed.contains(rid)) return true;
  }
  return false;
}

bool Delivery::expired(const RetryProfile& profile, unsigned tries, uint64_t now_seconds) const {
  const uint64_t born = queued.born / 1000000;
  if (now_seconds >= born) return now_seconds - born >= profile.lifetime;
  // The clock was ahead then. It is at least as old as the waits between its tries.
  uint64_t waited = 0;
  for (unsigned i = 1; i <= std::min(tries, kTriesCounted); ++i) {
    const uint64_t wait = wait_after(profile, i);
    if (wait >= profile.lifetime - waited) return true;
    waited += wait;
  }
  return false;
}

Result<Delivery> open_delivery(const Spool& spool, uint64_t mid) {
  Delivery delivery;
  delivery.mid = mid;
  const std::string path = spool.path("cur", mid);
  delivery.file.reset(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (!delivery.file && errno == ENOENT) return permanent("open " + path + ": it is not there");
  if (!delivery.file) return os_failure("open " + path, errno);
  Result<QueuedMessage> queued = read_queue_file(delivery.file.get());
  if (!queued) return queued.failure();
  delivery.queued = std::move(*queued);
  // Without its orders a message that is held would go out.
  delivery.attempts_path = spool.path("defer", mid);
  Result<std::optional<std::string>> log = read_defer_log(delivery.attempts_path);
  if (log && *log && (*log)->size() > kCompactBytes) {
    if (Result<void> compacted = compact_defer_log(spool, mid); !compacted) {
      log_warning("shorten the notes of MID " + std::to_string(mid), compacted.failure());
    }
    log = read_defer_log(delivery.attempts_path);
  }
  if (!log) return log.failure();
  delivery.has_attempts_file = log->has_value();
  const std::string lines = log->value_or("");
  delivery.attempts = parse_attempts(lines);
  delivery.orders = replay_orders(lines, delivery.queued.states.size());
  delivery.flushes = delivery.orders.flushes;
  // Noted, but the state byte was not written: it is tried again, and told then.
  std::erase_if(delivery.attempts.untold, [&](const auto& success) {
    return success.first >= delivery.queued.states.size() ||
           delivery.queued.states[success.first] != RecipientState::done;
  });
  return delivery;
}

Result<void> load_message(Delivery& delivery) {
  Result<Fd> copy = memory_file("message");
  if (!copy) return copy.failure();
  Result<void> copied =
      copy_range(delivery.file.get(), 0, delivery.queued.message_size, copy->get(), "copy the message");
  if (!copied) return copied;
  if (Result<void> sealed = seal(copy->get()); !sealed) return sealed;
  Result<bool> intact = message_intact(copy->get(), delivery.queued);
  if (!intact) return intact.failure();
  if (!*intact) return temporary("the message's checksum is wrong: it was damaged on the disk");
  delivery.message = std::move(*copy);
  return {};
}

namespace {

// Whose forwards may be signed as ours: what we sent, and did not sign before.
bool keeps_unsigned(const Environment& kept) {
  const std::string direction = kept.get_or("POSTERN_DIRECTION", "in");
  return (direction != "out" && direction != "local") || kept.get("POSTERN_SIGNED") ||
         kept.get("POSTERN_SIGN") == "no";
}

}  // namespace

Jobs make_jobs(const Delivery& delivery, const Rewriting& rewriting,
               const std::function<bool(std::string_view)>& wants_tag) {
  Jobs jobs;
  const std::string tagged = delivery.queued.kept.get_or("POSTERN_PRVS", "");
  std::map<std::string, size_t> open_job;  // domain, route and sender to index in jobs.remote
  const Envelope& envelope = delivery.queued.envelope;
  const Environment kept = source_variables(delivery.queued.kept);
  for (size_t rid = 0; rid < envelope.recipients.size(); ++rid) {
    if (delivery.queued.states.at(rid) != RecipientState::pending || delivery.failed.contains(rid) ||
        delivery.not_due.contains(rid)) {
      continue;
    }
    const std::string& recipient = envelope.recipients[rid].address;
    const auto [local, address, domain] = rewriting.of(recipient);
    // A list knows the address as it wrote it, not with the prefix of a virtual domain.
    const bool is_whole = recipient.find('@') != std::string::npos;
    const std::string sender = sender_for(envelope.sender, is_whole ? recipient : address);
    DeliveryJob job{.mid = delivery.mid,
                    .site = {},
                    .arguments = {sender, address},
                    .rids = {rid},
                    .remote = !local,
                    .route = {},
                    .kept = {},
                    .extras = {},
                    .keep_unsigned = false,
                    .message = -1};
    job.route = envelope.recipients[rid].route;
    const RecipientOrders* orders = delivery.orders.of(rid);
    if (orders != nullptr && !orders->route.empty()) job.route = orders->route;
    job.remote = !local || !job.route.empty();
    if (!job.remote) {
      job.keep_unsigned = keeps_unsigned(delivery.queued.kept);
      job.site = lower(address);
      jobs.local.push_back(std::move(job));
      continue;
    }
    if (!tagged.empty() && wants_tag && wants_tag(domain)) job.arguments.front() = tagged;
    const std::string group = domain + " " + job.route + " " + job.arguments.front();
    const auto found = open_job.find(group);
    if (found != open_job.end() && has_room_for(jobs.remote[found->second], address)) {
      jobs.remote[found->second].arguments.push_back(address);
      jobs.remote[found->second].rids.push_back(rid);
      continue;
    }
    job.site = job.route.empty() ? domain : job.route;
    job.kept = kept;
    job.arguments.insert(job.arguments.begin(), domain);
    open_job[group] = jobs.remote.size();
    jobs.remote.push_back(std::move(job));
  }
  for (std::vector<DeliveryJob>* made : {&jobs.local, &jobs.remote}) {
    for (DeliveryJob& job : *made) job.extras = extras_of(job, envelope);
  }
  return jobs;
}

namespace {

// What a DSN has to say of a delivery (RFC 3461 5.2): nothing where the sender did not ask, or the next host
// tells it.
std::optional<Action> success_to_tell(const Delivery& delivery, const DeliveryJob& job, size_t rid,
                                      Outcome outcome) {
  const Envelope& envelope = delivery.queued.envelope;
  if (outcome == Outcome::passed_on || is_notification_sender(envelope.sender) ||
      !asks_for(envelope.recipients[rid].notify, "SUCCESS")) {
    return std::nullopt;
  }
  if (outcome == Outcome::expanded) return Action::expanded;
  return job.remote ? Action::relayed : Action::delivered;
}

// A failure as the recipient's profile takes it.
Outcome judged(const RecipientReport& report, const Delivery& delivery, size_t rid,
               const BounceChoice& choice) {
  if (is_done(report.outcome)) return report.outcome;
  const bool failed = report.outcome == Outcome::permanent;
  const BounceProfile& profile = choice.of(delivery.queued, rid);
  const std::vector<ReplyPattern>& others = failed ? profile.soft : profile.hard;
  if (others.empty()) return report.outcome;
  const Said said = said_in(report.text);
  const bool fits = std::any_of(others.begin(), others.end(), [&](const ReplyPattern& pattern) {
    return pattern.fits(said.code, said.status);
  });
  if (!fits) return report.outcome;
  return failed ? Outcome::temporary : Outcome::permanent;
}

void note_successes(Delivery& delivery, const std::map<size_t, Success>& successes) {
  delivery.has_attempts_file = true;
  Result<size_t> noted = append_successes(delivery.attempts_path, successes);
  if (!noted) log_warning("note whom to tell of MID " + std::to_string(delivery.mid), noted.failure());
  delivery.attempts.bytes += noted ? *noted : 0;
  for (const auto& [rid, success] : successes) delivery.attempts.untold[rid] = success;
}

}  // namespace

void shorten(DeliveryJob& job, size_t recipients, const Envelope& envelope) {
  if (recipients >= job.rids.size()) return;
  job.arguments.resize(job.arguments.size() - (job.rids.size() - recipients));
  job.rids.resize(recipients);
  job.extras = extras_of(job, envelope);
}

void take_reports(Delivery& delivery, const DeliveryJob& job, const std::vector<RecipientReport>& reports,
                  const BounceChoice& choice) {
  std::vector<size_t> delivered;
  std::map<size_t, Success> to_tell;
  for (size_t i = 0; i < job.rids.size(); ++i) {
    const size_t rid = job.rids[i];
    const Outcome outcome = judged(reports.at(i), delivery, rid, choice);
    switch (outcome) {
      case Outcome::delivered:
      case Outcome::passed_on:
      case Outcome::expanded:
        delivered.push_back(rid);
        if (const std::optional<Action> action = success_to_tell(delivery, job, rid, outcome)) {
          to_tell[rid] = {std::string(action_word(*action)), reports[i].text};
        }
        break;
      case Outcome::permanent:
        delivery.failed[rid] = reports[i].text;
        break;
      case Outcome::temporary:
        delivery.deferred[rid] = reports[i].text;
        break;
      case Outcome::unsubscribed:
        delivery.unsubscribed[rid] = reports[i].text;
        break;
    }
  }
  --delivery.jobs_out;
  if (!to_tell.empty()) note_successes(delivery, to_tell);
  for (const size_t rid : delivered) delivery.queued.states.at(rid) = RecipientState::done;
  // The last of a message that goes altogether: its file is removed now, so its state bytes need not be
  // written.
  if (delivery.jobs_out > 0 || delivery.pending()) write_states(delivery, delivered, RecipientState::done);
}

void set_states(Delivery& delivery, const std::map<size_t, std::string>& recipients, RecipientState state) {
  std::vector<size_t> rids;
  for (const auto& [rid, why] : recipients) rids.push_back(rid);
  write_states(delivery, rids, state);
}

void write_all_states(Delivery& delivery) {
  for (size_t rid = 0; rid < delivery.queued.states.size(); ++rid) {
    write_states(delivery, {rid}, delivery.queued.states[rid]);
  }
}

size_t cost_of(const Delivery& delivery) {
  return delivery.queued.message_size + 1024 * delivery.queued.states.size();
}

void Jobs::set_message(int message) {
  for (std::vector<DeliveryJob>* jobs : {&local, &remote}) {
    for (DeliveryJob& job : *jobs) job.message = message;
  }
}

}  // namespace postern
