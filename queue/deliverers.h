// The two residents that deliver, lspawn and rspawn, as send sees them: jobs go in, answers come out.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "queue/channel.h"
#include "queue/delivery.h"
#include "queue/poller.h"
#include "queue/reports.h"
#include "queue/send_settings.h"

namespace postern {

class Deliverers {
 public:
  Deliverers(const SendSettings& settings, const Poller& poller);

  void set_limits(const SendSettings& settings);
  void pause();  // no more jobs are handed out

  void add(Jobs jobs);
  // Takes back the jobs of a message that no deliverer has yet; how many they were.
  size_t withdraw(uint64_t mid);

  struct Answer {
    DeliveryJob job;
    std::vector<RecipientReport> reports;
  };
  // Hands out as many jobs as there are free places. The answers are of those that cannot be sent at all.
  std::vector<Answer> start_jobs();
  [[nodiscard]] bool owns(int fd) const { return local_.owns(fd) || remote_.owns(fd); }
  std::optional<Answer> take_answer(int fd);

  // Milliseconds until start_jobs should be called again, -1: not before something ends.
  [[nodiscard]] int64_t wait() const;
  [[nodiscard]] size_t running() const { return local_.running() + remote_.running(); }

 private:
  Channel local_;
  Channel remote_;
};

}  // namespace postern
