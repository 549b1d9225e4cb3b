// How messages come into the schedule: those that an earlier process left in cur/, and new ones, which are
// taken over from new/ when the FIFO names them or when new/ is looked through.
#pragma once

#include <cstdint>
#include <vector>

#include "lib/spool.h"
#include "queue/schedule.h"
#include "queue/wake.h"

namespace postern {

class Intake {
 public:
  Intake(const Spool& spool, Schedule& schedule, WakeReader wake)
      : spool_(spool), schedule_(schedule), wake_(std::move(wake)) {}

  // Once, before anything else: what an earlier process had taken over. Missing directories are made, and
  // parts that cannot be read are tried again when new/ is looked through.
  void load_queue();
  // The FIFO's descriptor, and what to do when it is readable: takes over what is new, and gives the messages
  // that it names and are not: an order came for them, or they had been taken over before.
  [[nodiscard]] int fd() const { return wake_.fd(); }
  std::vector<uint64_t> take_woken();
  // What has to be done by time: looking through new/, also when `now_too`, and collecting garbage.
  void keep_up(bool now_too);
  // Milliseconds until keep_up has something to do.
  [[nodiscard]] int64_t wait() const;

 private:
  void load_parts();
  void look_through();
  // False when it is not in new/.
  bool accept(uint64_t mid);

  const Spool& spool_;
  Schedule& schedule_;
  WakeReader wake_;
  int64_t look_through_at_ = 0;  // milliseconds
  int64_t garbage_at_ = 0;
};

}  // namespace postern
