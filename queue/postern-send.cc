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
#include <optional>

#include "lib/descriptors.h"
#include "lib/log.h"
#include "lib/program.h"
#include "queue/room.h"
#include "queue/send.h"

namespace postern {

namespace {

constexpr uint64_t kClockStepSeconds = 60;         // back
constexpr uint64_t kLongestSiteWaitSeconds = 600;  // of a site that is away

}  // namespace

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
    heed_unsubscribed();  // with the answer the next job of the same site may go out
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
  heed_unsubscribed();
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

namespace {

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

}  // namespace postern

int main(int argc, char** argv) {
  return postern::run_program("postern-send", {}, postern::run, argc, argv);
}
