// postern-send - work the queue: hand each message's recipients to lspawn and rspawn, again and again until
// all are done.
//
//   env        POSTERN_HOME
//   files      queue/,
//   control/{locals,me,concurrencylocal,concurrencyremote,concurrencysite,queuelifetime,retryfirst,retrylongest}
//   sockets run/lspawn, run/rspawn user       posternq signals    SIGTERM: finish the jobs that are out, then
//   end; SIGHUP: read control/ again; SIGALRM: try everything now exit       0 after SIGTERM, 111 when it
//   cannot start

#include <fcntl.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <deque>
#include <set>

#include "lib/control.h"
#include "lib/log.h"
#include "lib/program.h"
#include "lib/spool.h"
#include "lib/text.h"
#include "lib/wake.h"
#include "queue/bounces.h"
#include "queue/carry_out.h"
#include "queue/channel.h"
#include "queue/delivery.h"
#include "queue/dsn.h"
#include "queue/due_messages.h"
#include "queue/send_settings.h"

namespace {

using namespace postern;

constexpr size_t kOpenMessages = 400;  // two descriptors each
constexpr size_t kOpenBytes =
    size_t{256} * 1024 * 1024;                       // of messages copied into memory; one is always let in
constexpr size_t kOpenedAtOnce = 200;                // between two looks at the answers
constexpr int64_t kLookThroughMilliseconds = 60000;  // new/ is looked through at least that often
constexpr int64_t kGarbageMilliseconds = 3600000;
constexpr uint64_t kBrokenWaitSeconds = 600;  // until a damaged queue file is looked at again

volatile sig_atomic_t stop_asked = 0;
volatile sig_atomic_t reload_asked = 0;
volatile sig_atomic_t flush_asked = 0;

uint64_t now_seconds() {
  return now_microseconds() / 1000000;
}
std::string mid_text(uint64_t mid) {
  return "MID " + std::to_string(mid);
}

// The messages that are open for one kind of delivery. Local and remote are counted apart: hosts that answer
// slowly must not keep local mail waiting.
struct OpenMessages {
  size_t count = 0;
  size_t bytes = 0;
  std::deque<uint64_t> parked;  // due, but there was no room
  [[nodiscard]] bool full() const { return count >= kOpenMessages || (count > 0 && bytes >= kOpenBytes); }
};

class Send {
 public:
  Send(SendSettings settings, WakeReader wake, int poller)
      : settings_(std::move(settings)),
        wake_(std::move(wake)),
        poller_(poller),
        local_("lspawn", settings_.concurrency_local, settings_.concurrency_local, poller),
        remote_("rspawn", settings_.concurrency_remote, settings_.concurrency_site, poller),
        bounces_(poller) {
    watch(wake_.fd());
  }

  void load_queue();
  void look_through();
  void loop(const sigset_t& while_waiting);

 private:
  // A message's way: accept, open, out as jobs, back by answers, and at the end of the pass finish or put
  // off.
  void accept(uint64_t mid);
  void note_order(uint64_t mid);
  void open_due();
  [[nodiscard]] bool may_open() const;
  void open(uint64_t mid);
  void start_jobs(Channel& channel);
  void take_answer(Channel& channel, int fd);
  void take_outcome(const DeliveryJob& job, const std::vector<RecipientReport>& reports);
  void end_pass(Delivery& delivery);
  void fail_expired(Delivery& delivery);
  void take_bounce(int fd);
  void finish(Delivery& delivery);
  void remove_again(uint64_t mid);
  void put_off(Delivery& delivery);
  void wait_on(const Delivery& delivery);

  OpenMessages& kind_of(const Delivery& delivery) {
    return delivery.goes_remote ? open_remote_ : open_local_;
  }
  void watch(int fd);
  void handle(int fd);
  void reload();
  [[nodiscard]] int wait_milliseconds() const;
  [[nodiscard]] bool idle() const { return local_.running() + remote_.running() == 0 && bounces_.empty(); }

  SendSettings settings_;
  Spool spool_{home_path("queue")};
  WakeReader wake_;
  int poller_;
  Channel local_;
  Channel remote_;
  DueMessages due_;
  std::map<uint64_t, Delivery> open_;
  OpenMessages open_local_;
  OpenMessages open_remote_;
  std::set<uint64_t> gone_;  // delivered, but their files could not be removed
  Bounces bounces_;
  uint64_t flush_at_ = 0;  // seconds since 1970: what was tried before then is tried at once
  int64_t look_through_at_ = 0;
  int64_t garbage_at_ = 0;
};

void Send::watch(int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  ::epoll_ctl(poller_, EPOLL_CTL_ADD, fd, &event);
}

// What an earlier process had taken over; when each is due is read when it is opened.
void Send::load_queue() {
  Result<std::vector<uint64_t>> mids = spool_.list("cur");
  if (!mids) return log_warning("look through the queue", mids.failure());
  for (const uint64_t mid : *mids) due_.push({0, mid});
}

void Send::look_through() {
  look_through_at_ = now_milliseconds() + kLookThroughMilliseconds;
  Result<std::vector<uint64_t>> mids = spool_.list("new");
  if (!mids) return log_warning("look through the queue", mids.failure());
  std::sort(mids->begin(), mids->end());
  for (const uint64_t mid : *mids) accept(mid);
}

void Send::accept(uint64_t mid) {
  if (Result<void> taken = spool_.take(mid); !taken) {
    // Permanent: it is not in new/ any more, so it was taken when new/ was looked through, or has orders.
    if (taken.failure().permanent()) return note_order(mid);
    return log_warning("take over " + mid_text(mid), taken.failure());
  }
  due_.push({0, mid});
}

// Orders are read when a message is opened. One that is open already: they are met at the end of its pass,
// which comes sooner when jobs that nobody has yet are taken back.
void Send::note_order(uint64_t mid) {
  const auto found = open_.find(mid);
  if (found == open_.end()) return due_.push({0, mid});
  Delivery& delivery = found->second;
  delivery.orders_came = true;
  delivery.has_attempts_file = true;
  if (delivery.jobs_out == 0 || !reread_orders(spool_, delivery)) return;
  const size_t withdrawn = local_.withdraw(mid) + remote_.withdraw(mid);
  delivery.withdrawn = delivery.withdrawn || withdrawn > 0;
  delivery.jobs_out -= withdrawn;
  if (delivery.jobs_out == 0) end_pass(delivery);
}

void Send::open_due() {
  const uint64_t now = now_seconds();
  for (size_t opened = 0; opened < kOpenedAtOnce && may_open() && due_.top().when <= now; ++opened) {
    const uint64_t mid = due_.top().mid;
    due_.pop();
    if (gone_.contains(mid)) {
      remove_again(mid);
    } else if (!open_.contains(mid)) {
      open(mid);
    }
  }
}

bool Send::may_open() const {
  return stop_asked == 0 && !due_.empty() && !(open_local_.full() && open_remote_.full());
}

void Send::open(uint64_t mid) {
  Result<Delivery> opened = open_delivery(spool_, mid);
  if (!opened) {
    if (opened.failure().permanent()) {
      (void)spool_.finish(mid, true);  // gone; orders that came too late stand there alone
      return;
    }
    log_warning("deliver " + mid_text(mid), opened.failure());
    return due_.push({now_seconds() + kBrokenWaitSeconds, mid});
  }
  carry_out(*opened);
  const bool flushed = opened->attempts.last < flush_at_ || flush_ordered(*opened);
  opened->tried = opened->waits() && (flushed || opened->attempts.next <= now_seconds());
  if (!opened->tried && opened->failed.empty() && opened->pending()) return wait_on(*opened);
  Jobs jobs = opened->tried ? make_jobs(*opened, settings_.locals, settings_.me) : Jobs{};
  opened->goes_remote = !jobs.remote.empty();
  OpenMessages& kind = kind_of(*opened);
  if (kind.full()) return kind.parked.push_back(mid);
  if (Result<void> loaded = opened->pending() ? load_message(*opened) : Result<void>(); !loaded) {
    log_warning("deliver " + mid_text(mid), loaded.failure());
    return due_.push({now_seconds() + kBrokenWaitSeconds, mid});
  }
  Delivery& delivery = open_.emplace(mid, std::move(*opened)).first->second;
  kind.count += 1;
  kind.bytes += cost_of(delivery);
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
  std::vector<RecipientReport> reports;
  if (finished->reply && finished->reply->exit_code == 0) {
    reports = parse_reports(finished->reply->output, finished->job.rids.size());
  } else {
    const std::string why =
        finished->reply ? "the delivery program ended with code " + std::to_string(finished->reply->exit_code)
                        : finished->reply.failure().text;
    reports.assign(finished->job.rids.size(), {Outcome::temporary, "4.3.0 " + why});
  }
  take_outcome(finished->job, reports);
}

void Send::take_outcome(const DeliveryJob& job, const std::vector<RecipientReport>& reports) {
  Delivery& delivery = open_.at(job.mid);
  take_reports(delivery, job, reports);
  if (delivery.jobs_out == 0) end_pass(delivery);
}

void Send::fail_expired(Delivery& delivery) {
  if (!delivery.expired(settings_.retry, now_seconds())) return;
  for (auto& [rid, why] : delivery.deferred) delivery.failed[rid] = why + " (tried for too long)";
  delivery.deferred.clear();
}

// No job of this message is out any more.
void Send::end_pass(Delivery& delivery) {
  if (delivery.orders_came) {
    (void)reread_orders(spool_, delivery);
    carry_out(delivery);
  }
  fail_expired(delivery);
  const std::string id = std::to_string(delivery.mid);
  const Envelope& envelope = delivery.queued.envelope;
  LogLines log;
  const auto tell = [&](std::string_view what, char status_class,
                        const std::map<size_t, std::string>& recipients) {
    for (const auto& [rid, why] : recipients) {
      std::string status = diagnose(why).status;
      status[0] = status_class;
      log.info(std::string(what) + ": " + id + ":" + std::to_string(rid) + " From:<" +
               printable(envelope.sender) + "> To:<" + printable(envelope.recipients.at(rid).address) +
               "> Reason: \"" + status + "\" Response: \"" + printable(why) + "\"");
    }
  };
  tell("Bounced", '5', delivery.failed);
  tell("Delayed", '4', delivery.deferred);
  log.flush();
  if (!delivery.failed.empty() && !envelope.sender.empty()) {
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
    put_off(delivery);
  } else if (Result<void> finished = spool_.finish(mid, delivery.has_attempts_file); finished) {
    log_info("Message finished " + mid_text(mid) + " done");
  } else {
    // The last pass leaves its state bytes to the removal. Now they are written, and whether or not that
    // succeeds, this process delivers the message no more.
    log_warning("finish " + mid_text(mid), finished.failure());
    write_all_states(delivery);
    gone_.insert(mid);
    due_.push({now_seconds() + kBrokenWaitSeconds, mid});
  }
  OpenMessages& kind = kind_of(delivery);
  kind.count -= 1;
  kind.bytes -= cost_of(delivery);
  if (!kind.parked.empty()) {
    due_.push({0, kind.parked.front()});
    kind.parked.pop_front();
  }
  open_.erase(mid);
}

void Send::remove_again(uint64_t mid) {
  if (Result<void> finished = spool_.finish(mid, true); !finished) {
    log_warning("finish " + mid_text(mid), finished.failure());
    return due_.push({now_seconds() + kBrokenWaitSeconds, mid});
  }
  gone_.erase(mid);
  log_info("Message finished " + mid_text(mid) + " done");
}

// When it has to be opened again; a message that is held altogether only when an order comes.
void Send::wait_on(const Delivery& delivery) {
  if (delivery.orders_came) {
    due_.push({0, delivery.mid});
  } else if (delivery.waits()) {
    due_.push({delivery.attempts.next, delivery.mid});
  }
}

void Send::put_off(Delivery& delivery) {
  if ((!delivery.tried || delivery.withdrawn) && delivery.deferred.empty()) return wait_on(delivery);
  Attempts attempts{.tries = delivery.attempts.tries + 1, .last = now_seconds(), .next = 0, .replies = {}};
  attempts.next =
      delivery.withdrawn ? attempts.last : attempts.last + wait_after(settings_.retry, attempts.tries);
  attempts.flushes = delivery.flushes;
  if (Result<void> noted = append_attempt(spool_.path("defer", delivery.mid), delivery.deferred, attempts);
      !noted) {
    log_warning("note the attempt on " + mid_text(delivery.mid), noted.failure());
  }
  delivery.attempts = attempts;
  wait_on(delivery);
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
  if (fd != wake_.fd()) return;
  const WakeReader::Woken woken = wake_.read();
  for (const uint64_t mid : woken.mids) accept(mid);
  if (woken.look_through) look_through_at_ = 0;
}

int Send::wait_milliseconds() const {
  const int64_t now = now_milliseconds();
  int64_t wait = std::max<int64_t>(0, look_through_at_ - now);
  const auto sooner = [&](int64_t other) {
    if (other >= 0) wait = std::min(wait, other);
  };
  sooner(local_.wait());
  sooner(remote_.wait());
  if (may_open()) {
    const uint64_t seconds = now_seconds();
    sooner(due_.top().when <= seconds ? 0 : static_cast<int64_t>((due_.top().when - seconds) * 1000));
  }
  return static_cast<int>(wait);
}

void Send::loop(const sigset_t& while_waiting) {
  std::array<epoll_event, 64> events;
  while (stop_asked == 0 || !idle()) {
    if (reload_asked != 0) {
      reload_asked = 0;
      reload();
    }
    if (stop_asked == 0) {
      if (flush_asked != 0 || now_milliseconds() >= look_through_at_) look_through();
      if (now_milliseconds() >= garbage_at_) {
        garbage_at_ = now_milliseconds() + kGarbageMilliseconds;
        spool_.collect_garbage();
      }
      if (flush_asked != 0) {
        // Everything that was put off before this moment is due now, whatever time is noted for it.
        flush_asked = 0;
        flush_at_ = now_seconds() + 1;
        std::vector<uint64_t> mids;
        for (; !due_.empty(); due_.pop()) mids.push_back(due_.top().mid);
        for (const uint64_t mid : mids) due_.push({0, mid});
      }
      open_due();
      start_jobs(local_);
      start_jobs(remote_);
    } else {
      local_.set_limits(0, 0);
      remote_.set_limits(0, 0);
    }
    const int ready = ::epoll_pwait(poller_, events.data(), static_cast<int>(events.size()),
                                    stop_asked != 0 ? 1000 : wait_milliseconds(), &while_waiting);
    for (int i = 0; i < ready; ++i) handle(events.at(static_cast<size_t>(i)).data.fd);
  }
}

void note_stop(int) {
  stop_asked = 1;
}
void note_reload(int) {
  reload_asked = 1;
}
void note_flush(int) {
  flush_asked = 1;
}

// Signals arrive only while we wait, so that none falls between a look at its flag and the wait.
sigset_t catch_signals() {
  sigset_t held;
  sigset_t before;
  ::sigemptyset(&held);
  struct Catch {
    int number;
    void (*handler)(int);
  };
  for (const auto& [number, handler] :
       {Catch{SIGTERM, note_stop}, {SIGHUP, note_reload}, {SIGALRM, note_flush}}) {
    struct sigaction action {};
    action.sa_handler = handler;
    ::sigaction(number, &action, nullptr);
    ::sigaddset(&held, number);
  }
  ::sigprocmask(SIG_BLOCK, &held, &before);
  return before;
}

// Two of us on one queue would deliver everything twice.
Result<Fd> lock_queue() {
  const std::string path = home_path("queue/lock");
  Fd lock{::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)};
  if (!lock) return os_failure("open " + path, errno);
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) < 0)
    return temporary("lock " + path + ": another postern-send works this queue");
  return lock;
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
  send.load_queue();
  send.loop(while_waiting);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("postern-send", {}, run, argc, argv);
}
