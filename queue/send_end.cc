#include <set>
#include <utility>

#include "lib/mid.h"
#include "queue/carry_out.h"
#include "queue/notices.h"
#include "queue/pass.h"
#include "queue/send.h"
#include "queue/work_entry.h"

namespace postern {

namespace {

constexpr uint64_t kWorkEntryWaitSeconds = 1;  // until it is looked whether an entry still stands

}  // namespace

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

}  // namespace postern
