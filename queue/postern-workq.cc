// postern-workq - work the work queue: have each message scanned that was accepted before it was scanned; or
// the sets: have each placed that the scanner has committed.
//
//   env        POSTERN_HOME, POSTERN_SCANNER (default @scanq), POSTERN_SPOOL (work, or sets)
//   files      work/ or sets/, control/{concurrencyscan,retryfirst,retrylongest}
//   user       posternq
//   signals    SIGTERM: finish what is being scanned, then end; SIGHUP: read control/ again; SIGALRM: try
//              everything now
//   exit       0 after SIGTERM, 111 when it cannot start

#include <signal.h>

#include <algorithm>
#include <map>
#include <set>

#include "lib/child.h"
#include "lib/control.h"
#include "lib/log.h"
#include "lib/mid.h"
#include "lib/program.h"
#include "lib/spool.h"
#include "lib/text.h"
#include "queue/attempts.h"
#include "queue/delivery.h"
#include "queue/held_queue.h"
#include "queue/intake.h"
#include "queue/pass.h"
#include "queue/removal.h"
#include "queue/scans.h"
#include "queue/schedule.h"
#include "queue/work_entry.h"

namespace {

using namespace postern;

constexpr uint64_t kBrokenWaitSeconds = 600;  // until a damaged file is looked at again
constexpr uint64_t kShortWaitSeconds = 1;     // until what could not be started is started

struct WorkSettings {
  uint64_t concurrency = 4;
  RetryProfile retry;
};

Result<WorkSettings> read_settings() {
  WorkSettings settings;
  for (const auto& [name, into] : {std::pair{"concurrencyscan", &settings.concurrency},
                                   {"retryfirst", &settings.retry.first_wait},
                                   {"retrylongest", &settings.retry.longest_wait}}) {
    Result<uint64_t> value = control_number_or(name, *into);
    if (!value) return value.failure();
    *into = *value;
  }
  settings.concurrency = std::clamp<uint64_t>(settings.concurrency, 1, 1000);
  return settings;
}

class WorkQueue {
 public:
  WorkQueue(const WorkSettings& settings, std::string name, HeldQueue held)
      : settings_(settings),
        name_(std::move(name)),
        held_(std::move(held)),
        intake_(spool_, schedule_, std::move(held_.wake)),
        scans_(Environment::of_process().get_or("POSTERN_SCANNER", "@scanq"), held_.poller) {}

  void loop();

 private:
  // A message's way: due, opened, out to be scanned, and by the answer removed or put off.
  void start_due();
  void scan(uint64_t mid);
  void take_answer(int fd);
  void remove(uint64_t mid);
  void put_off(uint64_t mid, const SmtpReply& reply);

  void obey_signals();
  [[nodiscard]] bool has_room() const { return scans_.running() < settings_.concurrency; }
  [[nodiscard]] int wait_milliseconds() const;

  WorkSettings settings_;
  std::string name_;  // of the spool
  Spool spool_{home_path(name_)};
  HeldQueue held_;
  Schedule schedule_;
  Intake intake_;
  Scans scans_;
  Removal removal_{spool_, false};
  std::map<uint64_t, std::string> origins_;  // entries of another spool that sets were made of
  std::set<uint64_t> done_;                  // answered with yes, and still here
  uint64_t flush_at_ = 0;  // seconds since 1970: what was tried before then is tried at once
};

void WorkQueue::start_due() {
  while (has_room()) {
    const std::optional<uint64_t> mid = schedule_.take_due(now_seconds());
    if (!mid) return;
    if (done_.contains(*mid)) {
      remove(*mid);
    } else if (!scans_.has(*mid)) {
      scan(*mid);
    }
  }
}

void WorkQueue::scan(uint64_t mid) {
  Result<Delivery> opened = open_delivery(spool_, mid);
  if (!opened && opened.failure().permanent()) return;  // gone
  const bool due =
      opened && (opened->attempts.last < flush_at_ || is_due(opened->attempts.last, opened->attempts.next,
                                                             settings_.retry.longest_wait, now_seconds()));
  if (opened && !due) return schedule_.add(mid, opened->attempts.next);
  const Result<void> loaded = opened ? load_message(*opened) : Result<void>(opened.failure());
  if (!loaded) {
    log_warning("scan " + mid_text(mid), loaded.failure());
    return schedule_.add(mid, now_seconds() + kBrokenWaitSeconds);
  }
  Environment environment = opened->queued.kept;
  environment.set("POSTERN_MID", std::to_string(mid));
  environment.set("POSTERN_DEFERRED", "1");
  origins_[mid] = environment.get_or("POSTERN_WORK", "");
  environment.set("POSTERN_WORK", name_ + "/" + std::to_string(mid));
  if (name_ == "sets") environment.set("POSTERN_SET", "1");
  if (!scans_.start(mid, opened->message.get(), opened->queued.envelope, environment)) {
    schedule_.add(mid, now_seconds() + kShortWaitSeconds);
  }
}

void WorkQueue::take_answer(int fd) {
  const Scans::Ended ended = scans_.take(fd);
  if (ended.answer.exit_code == 0) return remove(ended.mid);
  origins_.erase(ended.mid);
  put_off(ended.mid, queue_reply(ended.answer));
}

void WorkQueue::remove(uint64_t mid) {
  done_.insert(mid);
  // What a set was made of may be scanned once more, and a set that is gone would be made again.
  if (work_entry_stands(origins_[mid])) return schedule_.add(mid, now_seconds() + kShortWaitSeconds);
  if (!removal_.remove(mid, true)) return schedule_.add(mid, now_seconds() + kBrokenWaitSeconds);
  origins_.erase(mid);
  done_.erase(mid);
}

// A permanent answer too: the client was told yes, and a verdict never becomes a bounce.
void WorkQueue::put_off(uint64_t mid, const SmtpReply& reply) {
  const std::string path = spool_.path("defer", mid);
  Attempts attempts = read_attempts(path);
  attempts.tries += 1;
  attempts.last = now_seconds();
  attempts.next = attempts.last + wait_after(settings_.retry, attempts.tries);
  const std::string line = printable(reply.line());
  if (reply.permanent()) {
    log_warning("scan " + mid_text(mid), permanent("the scanner refuses what was accepted: " + line));
  } else {
    log_info(mid_text(mid) + " stays in " + (name_ == "sets" ? "the sets: " : "the work queue: ") + line);
  }
  const std::map<size_t, std::string> before = std::exchange(attempts.replies, {{0, reply.line()}});
  if (Result<void> noted = append_attempt(path, attempts, {}, before); !noted) {
    log_warning("note the attempt on " + mid_text(mid), noted.failure());
  }
  schedule_.add(mid, attempts.next);
}

void WorkQueue::obey_signals() {
  if (asked.reload != 0) {
    asked.reload = 0;
    if (Result<WorkSettings> settings = read_settings(); settings) {
      settings_ = *settings;
    } else {
      log_warning("read the settings again, keeping the old ones", settings.failure());
    }
  }
  intake_.keep_up(asked.flush != 0);
  if (asked.flush != 0) {
    asked.flush = 0;
    flush_at_ = now_seconds() + 1;
    schedule_.flush();
  }
}

int WorkQueue::wait_milliseconds() const {
  const int64_t next = has_room() || schedule_.loading() ? schedule_.wait(now_seconds()) : -1;
  return static_cast<int>(next < 0 ? intake_.wait() : std::min(next, intake_.wait()));
}

void WorkQueue::loop() {
  intake_.load_queue();
  while (asked.stop == 0 || scans_.running() > 0) {
    if (asked.stop == 0) {
      obey_signals();
      start_due();
      schedule_.load_some(spool_, now_seconds(), settings_.retry.longest_wait);
    }
    for (const int fd :
         held_.poller.wait(asked.stop != 0 ? 1000 : wait_milliseconds(), held_.while_waiting)) {
      if (scans_.owns(fd)) {
        take_answer(fd);
      } else if (fd == intake_.fd()) {
        intake_.take_woken();
      }
    }
  }
}

int run(int, char**) {
  ::signal(SIGCHLD, SIG_IGN);  // the kernel reaps; answers come through pipes
  const bool sets = Environment::of_process().get("POSTERN_SPOOL") == "sets";
  const std::string name = sets ? "sets" : "work";
  Result<WorkSettings> settings = read_settings();
  Result<HeldQueue> held = hold_queue(name, "postern-workq");
  if (!settings || !held) {
    log_critical("start", (settings ? held.failure() : settings.failure()).text);
    return 111;
  }
  WorkQueue(*settings, name, std::move(*held)).loop();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("postern-workq", {}, run, argc, argv);
}
