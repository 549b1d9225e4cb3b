// postern-send - work the queue: hand each message's recipients to lspawn and rspawn, again and again until
// all are done.
//
//   env        POSTERN_HOME
//   files      queue/, control/ (see postern-send(8)), sockets run/lspawn and run/rspawn
//   user       posternq
//   signals    SIGTERM: finish the jobs that are out, then end; SIGHUP: read control/ again;
//              SIGALRM: try everything now
//   exit       0 after SIGTERM, 111 when it cannot start

#include <algorithm>
#include <map>
#include <optional>

#include "lib/control.h"
#include "lib/descriptors.h"
#include "lib/log.h"
#include "lib/mid.h"
#include "lib/program.h"
#include "lib/spool.h"
#include "lib/text.h"
#include "queue/admission.h"
#include "queue/bounces.h"
#include "queue/carry_out.h"
#include "queue/deliverers.h"
#include "queue/delivery.h"
#include "queue/held_queue.h"
#include "queue/intake.h"
#include "queue/notices.h"
#include "queue/open_messages.h"
#include "queue/pass.h"
#include "queue/removal.h"
#include "queue/room.h"
#include "queue/schedule.h"
#include "queue/send_settings.h"
#include "queue/sender_tags.h"
#include "queue/unsubscribed.h"
#include "queue/work_entry.h"

namespace {

using namespace postern;

constexpr size_t kOpenedAtOnce = 200;  // between two looks at the answers
constexpr int64_t kOpenMilliseconds = 20;
constexpr uint64_t kBrokenWaitSeconds = 600;       // until a damaged queue file is looked at again
constexpr uint64_t kWorkEntryWaitSeconds = 1;      // until it is looked whether an entry still stands
constexpr uint64_t kClockStepSeconds = 60;         // back
constexpr uint64_t kLongestSiteWaitSeconds = 600;  // of a site that is away
constexpr int64_t kShortageMilliseconds = 1000;    // until the next try when there were no descriptors

class Send {
 public:
  Send(SendSettings settings, HeldQueue held)
      : settings_(std::move(settings)),
        held_(std::move(held)),
        deliverers_(held_.poller),
        intake_(spool_, schedule_, std::move(held_.wake)),
        bounces_(held_.poller) {
    if (Result<void> read = unsubscribed_.read_action(); !read) log_warning("start", read.failure());
    apply_limits();
  }

  void loop();

 private:
  // A message's way: accept, open, out as jobs, back by answers, and at the end of the pass finish or put
  // off.
  void open_due();
  [[nodiscard]] bool may_open() const;
  std::optional<uint64_t> next_to_open(bool& parked);
  void open(uint64_t mid, bool parked);
  void warn_of_profile(const Delivery& delivery) const;
  void wait_at_site(const Delivery& delivery, const std::string& site);
  void forget(uint64_t mid);
  void open_later(uint64_t mid, const Failure& failure);
  void take_answer(const Deliverers::Answer& answer);
  void end_pass(Delivery& delivery);
  void leave_undecided(Delivery& delivery, std::string_view doing, const Failure& failure);
  void take_bounce(const Bounces::Ended& ended);
  void finish(Delivery& delivery, bool told);
  void note_order(uint64_t mid);

  void close(Delivery& delivery);
  void move_to(OpenMessages& place, Delivery& delivery);
  void leave(Delivery& delivery);
  void handle(int fd);
  void give_out_work();
  void reload();
  void apply_limits();
  [[nodiscard]] int wait_milliseconds() const;
  [[nodiscard]] bool idle() const { return deliverers_.running() == 0 && bounces_.running() == 0; }

  SendSettings settings_;
  Spool spool_{home_path("queue")};
  HeldQueue held_;
  Deliverers deliverers_;
  Schedule schedule_;
  Intake intake_;
  std::map<uint64_t, Delivery> open_;
  OpenMessages open_local_;
  OpenMessages open_remote_;
  OpenMessages open_telling_;  // delivered or failed; the sender is being told
  Removal removal_{spool_};
  Bounces bounces_;
  Unsubscribed unsubscribed_{home_path("queue/" + std::string(kUnsubscribedFile))};
  SenderTags tags_;
  int64_t shortage_until_ = 0;  // milliseconds
  bool said_shortage_ = false;
  uint64_t looked_at_ = 0;  // seconds since 1970: when the schedule was last looked at
  uint64_t flush_at_ = 0;   // seconds since 1970: what was tried before then is tried at once
  bool turn_of_parked_ = false;
};

void Send::open_due() {
  // As many as there are places, not one for each that leaves: an order may have finished what is parked.
  for (OpenMessages* place : {&open_local_, &open_remote_}) {
    for (const uint64_t mid : place->take_parked()) schedule_.add(mid, 0);
  }
  // Bounded by time too: with nothing in the page cache each may wait for the disk.
  const int64_t until = now_milliseconds() + kOpenMilliseconds;
  for (size_t opened = 0; opened < kOpenedAtOnce && may_open() && now_milliseconds() < until; ++opened) {
    bool parked = false;
    const std::optional<uint64_t> mid = next_to_open(parked);
    if (!mid) return;
    if (removal_.failed(*mid)) {
      if (!removal_.remove(*mid, true)) schedule_.add(*mid, now_seconds() + kBrokenWaitSeconds);
    } else if (open_.contains(*mid)) {
      schedule_.forget(*mid);
    } else {
      open(*mid, parked);
    }
  }
}

// What is due and what waits for its site, in turn: neither may wait for all of the other.
std::optional<uint64_t> Send::next_to_open(bool& parked) {
  turn_of_parked_ = !turn_of_parked_;
  for (const bool from_line : {turn_of_parked_, !turn_of_parked_}) {
    if (from_line && open_remote_.full()) continue;
    const std::optional<uint64_t> mid =
        from_line ? deliverers_.sites().take_parked() : schedule_.take_due(now_seconds());
    parked = from_line;
    if (mid) return mid;
  }
  return std::nullopt;
}

bool Send::may_open() const {
  return asked.stop == 0 && !(open_local_.full() && open_remote_.full()) &&
         now_milliseconds() >= shortage_until_;
}

void Send::open(uint64_t mid, bool parked) {
  Result<Delivery> opened = open_delivery(spool_, mid);
  if (!opened) {
    if (opened.failure().permanent()) return forget(mid);
    return open_later(mid, opened.failure());
  }
  carry_out(*opened);
  fail_as_asked(*opened);
  decide_pass(*opened, opened->attempts.last < flush_at_, settings_.bounces, now_seconds());
  warn_of_profile(*opened);
  if (!opened->tried && opened->failed.empty() && opened->pending()) {
    return schedule_.put_back(mid, next_time(*opened, opened->attempts.next, now_seconds()));
  }
  if (opened->tried) unsubscribed_.look_up(*opened);
  Jobs jobs;
  if (opened->tried)
    jobs = make_jobs(*opened, settings_.rewriting,
                     [&](std::string_view domain) { return tags_.wanted(domain); });
  if (open_remote_.full() && !open_local_.full() && opened->attempts.tries == 0 && !jobs.local.empty() &&
      !jobs.remote.empty()) {
    jobs.remote.clear();  // a mailbox here does not wait for slow hosts
    opened->remote_waits = opened->withdrawn = true;
  }
  if (!jobs.remote.empty() && open_remote_.full()) return wait_at_site(*opened, jobs.remote.front().site);
  Sites& sites = deliverers_.sites();
  lift_as_ordered(*opened, jobs, flush_at_ > 0 ? flush_at_ - 1 : 0, sites);
  admit_jobs(*opened, jobs, sites, parked, settings_.bounces);
  const bool idle = jobs.local.empty() && jobs.remote.empty();
  if (idle && !opened->held_back.empty() && opened->deferred.empty() && opened->failed.empty()) {
    return wait_at_site(*opened, opened->held_back);
  }
  OpenMessages& kind = jobs.remote.empty() ? open_local_ : open_remote_;
  if (kind.full()) return kind.parked.push_back(mid);
  // Without a job it is only read where the sender is told. What is removed altogether goes even when it is
  // damaged.
  if (Result<void> loaded = idle ? Result<void>() : load_message(*opened); !loaded) {
    give_back(jobs, sites);
    return open_later(mid, loaded.failure());
  }
  said_shortage_ = false;
  Delivery& delivery = open_.emplace(mid, std::move(*opened)).first->second;
  move_to(kind, delivery);
  jobs.set_message(delivery.message.get());
  delivery.jobs_out = jobs.local.size() + jobs.remote.size();
  deliverers_.add(std::move(jobs));
  if (delivery.jobs_out == 0) end_pass(delivery);
}

// Until its site may have more, and where others of its recipients are due at some time, until then too: they
// do not wait for a site that is none of theirs.
void Send::wait_at_site(const Delivery& delivery, const std::string& site) {
  const bool in_line = !deliverers_.sites().park(site, delivery.mid);
  const std::optional<uint64_t> next = soonest_not_due(delivery);
  if (!next) {
    if (in_line) schedule_.forget(delivery.mid);
  } else if (in_line) {
    schedule_.add(delivery.mid, *next);
  } else {
    schedule_.add_again(delivery.mid, *next);
  }
}

// Said once a message: at its first try.
void Send::warn_of_profile(const Delivery& delivery) const {
  if (!delivery.tried || delivery.attempts.tries > 0) return;
  const std::string_view name = settings_.bounces.unknown_name(delivery.queued);
  if (name.empty()) return;
  log_warning("find the bounce profile \"" + printable(name, 80) + "\" of " + mid_text(delivery.mid),
              "control/bounceprofiles has no such line; DEFAULT counts");
}

// The message is gone. An order that came too late stands in defer/ alone.
void Send::forget(uint64_t mid) {
  schedule_.forget(mid);
  (void)spool_.finish(mid, true);
}

// It is damaged; or nothing can be opened until other messages are done, which is no fault of this one.
void Send::open_later(uint64_t mid, const Failure& failure) {
  if (!failure.shortage || !said_shortage_) log_warning("deliver " + mid_text(mid), failure);
  if (!failure.shortage) return schedule_.put_back(mid, now_seconds() + kBrokenWaitSeconds);
  said_shortage_ = true;
  shortage_until_ = now_milliseconds() + kShortageMilliseconds;
  schedule_.put_back(mid, now_seconds());
}

// Orders are read when a message is opened. One that is open already meets them at the end of its pass, which
// comes sooner when jobs that nobody has yet are taken back.
void Send::note_order(uint64_t mid) {
  const auto found = open_.find(mid);
  if (found == open_.end()) return schedule_.add_again(mid, 0);
  Delivery& delivery = found->second;
  delivery.orders_came = true;
  delivery.has_attempts_file = true;
  if (delivery.jobs_out == 0) return;
  // What cannot be read now is said at the end of the pass.
  const Result<bool> changed = reread_orders(delivery);
  if (!changed || !*changed) return;
  const size_t withdrawn = deliverers_.withdraw(mid);
  delivery.withdrawn = delivery.withdrawn || withdrawn > 0;
  delivery.jobs_out -= withdrawn;
  if (delivery.jobs_out == 0) end_pass(delivery);
}

void Send::take_answer(const Deliverers::Answer& answer) {
  Delivery& delivery = open_.at(answer.job.mid);
  take_reports(delivery, answer.job, answer.reports, settings_.bounces);
  unsubscribed_.settle(delivery);
  if (delivery.jobs_out == 0) end_pass(delivery);
}

// No job of this message is out any more.
void Send::end_pass(Delivery& delivery) {
  if (delivery.orders_came) {
    if (Result<bool> read = reread_orders(delivery); !read)
      return leave_undecided(delivery, "read the orders of ", read.failure());
    carry_out(delivery);
  }
  fail_spent(delivery, settings_.bounces, now_seconds());
  log_pass(delivery);
  choose_notices(delivery, settings_, now_seconds());
  if (delivery.telling.empty() || open_telling_.full()) return finish(delivery, delivery.telling.empty());
  if (!delivery.message) {
    if (Result<void> loaded = load_message(delivery); !loaded)
      return leave_undecided(delivery, "tell the sender of ", loaded.failure());
  }
  move_to(open_telling_, delivery);
  for (Notice& notice : notices_for(delivery, settings_)) {
    ++delivery.bounces_out;  // goes on in take_bounce
    bounces_.add(notice.request, std::move(notice.rids), delivery.message.get());
  }
}

// An order that cannot be read may say that nobody is to be told. Who has it has it; all else is tried again.
void Send::leave_undecided(Delivery& delivery, std::string_view doing, const Failure& failure) {
  log_warning(std::string(doing) + mid_text(delivery.mid), failure);
  write_all_states(delivery);
  schedule_.add(delivery.mid, now_seconds() + kBrokenWaitSeconds);
  close(delivery);
}

void Send::close(Delivery& delivery) {
  leave(delivery);
  open_.erase(delivery.mid);
}

void Send::take_bounce(const Bounces::Ended& ended) {
  Delivery& delivery = open_.at(ended.mid);
  if (!ended.told) delivery.not_told.insert(ended.rids.begin(), ended.rids.end());
  if (--delivery.bounces_out == 0) finish(delivery, true);
}

void Send::finish(Delivery& delivery, bool told) {
  const uint64_t mid = delivery.mid;
  const bool all_told = told && delivery.not_told.empty();
  const std::set<size_t> told_of = take_told(delivery, told);
  if (!all_told) forget_old_successes(delivery, settings_, now_seconds());
  if (delivery.pending()) {
    const uint64_t next = put_off(delivery, told_of, settings_.bounces, now_seconds());
    if (delivery.remote_waits && !delivery.orders_came) {
      open_remote_.parked.push_back(mid);
    } else if (!delivery.held_back.empty() && delivery.deferred.empty() && !delivery.orders_came) {
      wait_at_site(delivery, delivery.held_back);
    } else {
      schedule_.add(mid, next);
    }
  } else if (waits_for_work_entry(delivery.queued.kept)) {
    // It may be handed to the queue once more, which knows it by this file.
    write_all_states(delivery);
    schedule_.add(mid, now_seconds() + kWorkEntryWaitSeconds);
  } else if (!removal_.remove(mid, delivery.has_attempts_file)) {
    write_all_states(delivery);  // the last pass leaves them to the removal
    schedule_.add(mid, now_seconds() + kBrokenWaitSeconds);
  }
  close(delivery);
}

void Send::move_to(OpenMessages& place, Delivery& delivery) {
  leave(delivery);
  place.enter(cost_of(delivery));
  delivery.counted_in = &place;
}

void Send::leave(Delivery& delivery) {
  if (delivery.counted_in == nullptr) return;
  OpenMessages& place = *std::exchange(delivery.counted_in, nullptr);
  place.leave(cost_of(delivery));
}

void Send::reload() {
  Result<SendSettings> settings = read_send_settings();
  if (!settings) return log_warning("read the settings again, keeping the old ones", settings.failure());
  settings_ = std::move(*settings);
  if (Result<void> read = unsubscribed_.read_action(); !read)
    log_warning("read the settings again, keeping the old ones", read.failure());
  apply_limits();
}

void Send::apply_limits() {
  const Room room = room_for(descriptor_limit(), settings_.concurrency_local, settings_.concurrency_remote);
  if (room.local < settings_.concurrency_local || room.remote < settings_.concurrency_remote) {
    log_warning(
        "reach concurrencylocal and concurrencyremote",
        "there are descriptors for " + std::to_string(room.local) + " and " + std::to_string(room.remote));
  }
  // Half of what a message waits, so that its own retry finds its site due for a probe.
  const BounceProfile& usual = settings_.bounces.profiles.standard();
  const uint64_t longest = std::min<uint64_t>(usual.max_retry_timeout, kLongestSiteWaitSeconds * 2);
  const BackOffWaits waits{
      .first = static_cast<int64_t>(std::min<uint64_t>(usual.initial_retry, longest) * 500),
      .longest = static_cast<int64_t>(longest * 500)};
  deliverers_.set_limits(room.local, room.remote, settings_.bounces.destinations, waits);
  for (OpenMessages* place : {&open_local_, &open_remote_, &open_telling_}) place->most = room.messages;
}

void Send::handle(int fd) {
  if (deliverers_.owns(fd)) {
    for (const Deliverers::Answer& answer : deliverers_.take_answers(fd)) take_answer(answer);
    return;
  }
  if (bounces_.owns(fd)) return take_bounce(bounces_.take(fd));
  if (fd != intake_.fd()) return;
  for (const uint64_t mid : intake_.take_woken()) {
    mid == kResetSites ? deliverers_.sites().reset() : note_order(mid);
  }
}

int Send::wait_milliseconds() const {
  int64_t wait = intake_.wait();
  const auto sooner = [&](int64_t other) {
    if (other >= 0) wait = std::min(wait, other);
  };
  sooner(deliverers_.wait());
  if (const int64_t left = shortage_until_ - now_milliseconds(); left > 0) sooner(left);
  if (may_open() || schedule_.loading()) sooner(schedule_.wait(now_seconds()));
  sooner(deliverers_.sites().wait(may_open() && !open_remote_.full()));
  return static_cast<int>(wait);
}

void Send::give_out_work() {
  intake_.keep_up(asked.flush != 0);
  // The clock was set back: the times in the schedule are those of another one. Each is looked at.
  const uint64_t now = now_seconds();
  if (now + kClockStepSeconds < std::exchange(looked_at_, now)) schedule_.flush();
  if (asked.flush != 0) {
    // Everything that was put off before this moment is due now, whatever time is noted for it.
    asked.flush = 0;
    flush_at_ = now_seconds() + 1;
    schedule_.flush();
  }
  open_due();
  for (const Deliverers::Answer& answer : deliverers_.start_jobs()) take_answer(answer);
  for (const Bounces::Ended& ended : bounces_.start_waiting()) take_bounce(ended);
  deliverers_.sites().tick();
  schedule_.load_some(spool_, now_seconds(), settings_.bounces.profiles.longest_wait());
}

void Send::loop() {
  intake_.load_queue();
  while (asked.stop == 0 || !idle()) {
    if (asked.reload != 0) {
      asked.reload = 0;
      reload();
    }
    if (asked.stop == 0) {
      give_out_work();
    } else {
      deliverers_.pause();
    }
    for (const int fd : held_.poller.wait(asked.stop != 0 ? 1000 : wait_milliseconds(), held_.while_waiting))
      handle(fd);
  }
  deliverers_.sites().end();
}

int run(int, char**) {
  raise_descriptor_limit(kDescriptorsWanted);
  Result<SendSettings> settings = read_send_settings();
  Result<HeldQueue> held = hold_queue("queue", "postern-send");
  if (!settings || !held) {
    log_critical("start", (settings ? held.failure() : settings.failure()).text);
    return 111;
  }
  Send(std::move(*settings), std::move(*held)).loop();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("postern-send", {}, run, argc, argv);
}
