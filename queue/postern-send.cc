// postern-send - work the queue: hand each message's recipients to lspawn and rspawn, again and again until
// all are done.
//
//   env        POSTERN_HOME
//   files      queue/, control/ (see postern-send(8)), sockets run/lspawn and run/rspawn
//   user       posternq
//   signals    SIGTERM: finish the jobs that are out, then end; SIGHUP: read control/ again;
//              SIGALRM: try everything now
//   exit       0 after SIGTERM, 111 when it cannot start

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <map>

#include "lib/control.h"
#include "lib/log.h"
#include "lib/program.h"
#include "lib/spool.h"
#include "lib/text.h"
#include "lib/wake.h"
#include "queue/bounces.h"
#include "queue/channel.h"
#include "queue/delivery.h"
#include "queue/intake.h"
#include "queue/open_messages.h"
#include "queue/pass.h"
#include "queue/queue_lock.h"
#include "queue/removal.h"
#include "queue/reports.h"
#include "queue/schedule.h"
#include "queue/send_settings.h"
#include "queue/signals.h"

namespace {

using namespace postern;

constexpr size_t kOpenedAtOnce = 200;         // between two looks at the answers
constexpr uint64_t kBrokenWaitSeconds = 600;  // until a damaged queue file is looked at again

uint64_t now_seconds() {
  return now_microseconds() / 1000000;
}
std::string mid_text(uint64_t mid) {
  return "MID " + std::to_string(mid);
}

class Send {
 public:
  Send(SendSettings settings, WakeReader wake, int poller)
      : settings_(std::move(settings)),
        poller_(poller),
        local_("lspawn", settings_.concurrency_local, settings_.concurrency_local, poller),
        remote_("rspawn", settings_.concurrency_remote, settings_.concurrency_site, poller),
        intake_(spool_, schedule_, std::move(wake)),
        bounces_(poller) {
    watch(intake_.fd());
  }

  void loop(const sigset_t& while_waiting);

 private:
  // A message's way: accept, open, out as jobs, back by answers, and at the end of the pass finish or put
  // off.
  void open_due();
  [[nodiscard]] bool may_open() const;
  void open(uint64_t mid);
  void start_jobs(Channel& channel);
  void take_answer(Channel& channel, int fd);
  void take_outcome(const DeliveryJob& job, const std::vector<RecipientReport>& reports);
  void end_pass(Delivery& delivery);
  void take_bounce(int fd);
  void finish(Delivery& delivery);

  OpenMessages& kind_of(const Delivery& delivery) {
    return delivery.goes_remote ? open_remote_ : open_local_;
  }
  void watch(int fd);
  void handle(int fd);
  void give_out_work();
  void reload();
  [[nodiscard]] int wait_milliseconds() const;
  [[nodiscard]] bool idle() const { return local_.running() + remote_.running() == 0 && bounces_.empty(); }

  SendSettings settings_;
  Spool spool_{home_path("queue")};
  int poller_;
  Channel local_;
  Channel remote_;
  Schedule schedule_;
  Intake intake_;
  std::map<uint64_t, Delivery> open_;
  OpenMessages open_local_;
  OpenMessages open_remote_;
  Removal removal_{spool_};
  Bounces bounces_;
  uint64_t flush_at_ = 0;  // seconds since 1970: what was tried before then is tried at once
};

void Send::watch(int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  ::epoll_ctl(poller_, EPOLL_CTL_ADD, fd, &event);
}

void Send::open_due() {
  for (size_t opened = 0; opened < kOpenedAtOnce && may_open(); ++opened) {
    const std::optional<uint64_t> mid = schedule_.take_due(now_seconds());
    if (!mid) return;
    if (removal_.failed(*mid)) {
      if (!removal_.remove(*mid, true)) schedule_.add(*mid, now_seconds() + kBrokenWaitSeconds);
    } else if (!open_.contains(*mid)) {
      open(*mid);
    }
  }
}

bool Send::may_open() const {
  return asked.stop == 0 && !(open_local_.full() && open_remote_.full());
}

void Send::open(uint64_t mid) {
  Result<Delivery> opened = open_delivery(spool_, mid);
  if (!opened) {
    if (opened.failure().permanent()) return;  // gone
    log_warning("deliver " + mid_text(mid), opened.failure());
    return schedule_.add(mid, now_seconds() + kBrokenWaitSeconds);
  }
  const bool flushed = opened->attempts.last < flush_at_;
  if (opened->attempts.next > now_seconds() && !flushed) return schedule_.add(mid, opened->attempts.next);
  Jobs jobs = make_jobs(*opened, settings_.locals, settings_.me);
  opened->goes_remote = !jobs.remote.empty();
  OpenMessages& kind = kind_of(*opened);
  if (kind.full()) return kind.parked.push_back(mid);
  if (Result<void> loaded = load_message(*opened); !loaded) {
    log_warning("deliver " + mid_text(mid), loaded.failure());
    return schedule_.add(mid, now_seconds() + kBrokenWaitSeconds);
  }
  Delivery& delivery = open_.emplace(mid, std::move(*opened)).first->second;
  kind.enter(cost_of(delivery));
  jobs.set_message(delivery.message.get());
  delivery.jobs_out = jobs.local.size() + jobs.remote.size();
  for (DeliveryJob& job : jobs.local) local_.add(std::move(job));
  for (DeliveryJob& job : jobs.remote) remote_.add(std::move(job));
  if (delivery.jobs_out == 0) end_pass(delivery);
}

void Send::start_jobs(Channel& channel) {
  channel.start_jobs();
  for (const DeliveryJob& job : channel.take_unsendable()) {
    take_outcome(job, {job.rids.size(),
                       {Outcome::temporary, "4.3.0 the request for the delivery program is too large"}});
  }
}

void Send::take_answer(Channel& channel, int fd) {
  const std::unique_ptr<Channel::Finished> finished = channel.take_answer(fd);
  if (!finished) return;
  take_outcome(finished->job, reports_of(finished->reply, finished->job.rids.size()));
}

void Send::take_outcome(const DeliveryJob& job, const std::vector<RecipientReport>& reports) {
  Delivery& delivery = open_.at(job.mid);
  take_reports(delivery, job, reports);
  if (delivery.jobs_out == 0) end_pass(delivery);
}

// No job of this message is out any more.
void Send::end_pass(Delivery& delivery) {
  fail_expired(delivery, settings_.retry, now_seconds());
  log_pass(delivery);
  if (!delivery.failed.empty() && !delivery.queued.envelope.sender.empty()) {
    if (bounces_.start(delivery)) return;  // goes on in take_bounce
    delivery.deferred.merge(delivery.failed);
    delivery.failed.clear();
  }
  set_states(delivery, delivery.failed, RecipientState::failed);
  finish(delivery);
}

void Send::take_bounce(int fd) {
  const Bounces::Ended ended = bounces_.take(fd);
  Delivery& delivery = open_.at(ended.mid);
  if (ended.told) {
    set_states(delivery, delivery.failed, RecipientState::failed);
  } else {
    // Not told yet, so not failed yet: they are tried, and bounced, again.
    delivery.deferred.merge(delivery.failed);
  }
  delivery.failed.clear();
  finish(delivery);
}

void Send::finish(Delivery& delivery) {
  const uint64_t mid = delivery.mid;
  if (delivery.pending()) {
    schedule_.add(mid, put_off(spool_, delivery, settings_.retry, now_seconds()));
  } else if (!removal_.remove(mid, delivery.has_attempts_file)) {
    write_all_states(delivery);  // the last pass leaves them to the removal
    schedule_.add(mid, now_seconds() + kBrokenWaitSeconds);
  }
  OpenMessages& kind = kind_of(delivery);
  kind.leave(cost_of(delivery));
  if (!kind.parked.empty()) {
    schedule_.add(kind.parked.front(), 0);
    kind.parked.pop_front();
  }
  open_.erase(mid);
}

void Send::reload() {
  Result<SendSettings> settings = read_send_settings();
  if (!settings) return log_warning("read the settings again, keeping the old ones", settings.failure());
  settings_ = std::move(*settings);
  local_.set_limits(settings_.concurrency_local, settings_.concurrency_local);
  remote_.set_limits(settings_.concurrency_remote, settings_.concurrency_site);
}

void Send::handle(int fd) {
  if (local_.owns(fd)) return take_answer(local_, fd);
  if (remote_.owns(fd)) return take_answer(remote_, fd);
  if (bounces_.owns(fd)) return take_bounce(fd);
  if (fd == intake_.fd()) intake_.take_woken();
}

int Send::wait_milliseconds() const {
  int64_t wait = intake_.wait();
  const auto sooner = [&](int64_t other) {
    if (other >= 0) wait = std::min(wait, other);
  };
  sooner(local_.wait());
  sooner(remote_.wait());
  if (may_open() || schedule_.loading()) sooner(schedule_.wait(now_seconds()));
  return static_cast<int>(wait);
}

void Send::give_out_work() {
  intake_.keep_up(asked.flush != 0);
  if (asked.flush != 0) {
    // Everything that was put off before this moment is due now, whatever time is noted for it.
    asked.flush = 0;
    flush_at_ = now_seconds() + 1;
    schedule_.flush();
  }
  open_due();
  start_jobs(local_);
  start_jobs(remote_);
  schedule_.load_some(spool_, now_seconds(), settings_.retry.longest_wait);
}

void Send::loop(const sigset_t& while_waiting) {
  intake_.load_queue();
  std::array<epoll_event, 64> events;
  while (asked.stop == 0 || !idle()) {
    if (asked.reload != 0) {
      asked.reload = 0;
      reload();
    }
    if (asked.stop == 0) {
      give_out_work();
    } else {
      local_.set_limits(0, 0);
      remote_.set_limits(0, 0);
    }
    const int ready = ::epoll_pwait(poller_, events.data(), static_cast<int>(events.size()),
                                    asked.stop != 0 ? 1000 : wait_milliseconds(), &while_waiting);
    for (int i = 0; i < ready; ++i) handle(events.at(static_cast<size_t>(i)).data.fd);
  }
}

int run(int, char**) {
  Result<SendSettings> settings = read_send_settings();
  Result<Fd> lock = lock_queue();
  Result<WakeReader> wake = WakeReader::open(home_path("queue"));
  const Fd poller{::epoll_create1(EPOLL_CLOEXEC)};
  for (const Failure* failure : {settings ? nullptr : &settings.failure(), lock ? nullptr : &lock.failure(),
                                 wake ? nullptr : &wake.failure()}) {
    if (failure == nullptr) continue;
    log_critical("start", failure->text);
    return 111;
  }
  const sigset_t while_waiting = catch_signals();
  Send send(std::move(*settings), std::move(*wake), poller.get());
  send.loop(while_waiting);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("postern-send", {}, run, argc, argv);
}
