// What postern-send does: a message's way from the schedule to its jobs (send_open.cc), from their answers to
// its end or its next try (send_end.cc), and the loop around both (postern-send.cc).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "lib/control.h"
#include "lib/log.h"
#include "lib/spool.h"
#include "queue/bounces.h"
#include "queue/deliverers.h"
#include "queue/delivery.h"
#include "queue/held_queue.h"
#include "queue/intake.h"
#include "queue/open_messages.h"
#include "queue/removal.h"
#include "queue/schedule.h"
#include "queue/send_settings.h"
#include "queue/sender_tags.h"
#include "queue/unsubscribed.h"

namespace postern {

constexpr uint64_t kBrokenWaitSeconds = 600;  // until a damaged queue file is looked at again

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
  void heed_unsubscribed();
  void take_back_jobs(Delivery& delivery);

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

}  // namespace postern
