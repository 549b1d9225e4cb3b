// The two residents that deliver, lspawn and rspawn, as send sees them: jobs go in, answers come out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "queue/channel.h"
#include "queue/delivery.h"
#include "queue/poller.h"
#include "queue/reports.h"

namespace postern {

// What those are told that are taken back because of a job that ended so (never Next::more).
RecipientReport report_of_taken_back(Sites::Next next, const std::vector<RecipientReport>& reports);

class Deliverers {
 public:
  // Hands out nothing until set_limits is called.
  explicit Deliverers(const Poller& poller);

  // Jobs out at once to either. Half of `local` at most are of one mailbox: one with a slow program must not
  // hold up all others. `waits`: of a site that is away.
  void set_limits(size_t local, size_t remote, Destinations destinations, const BackOffWaits& waits);
  void pause();  // no more jobs are handed out

  // The remote ones have been admitted by `sites`.
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
  // Of a connection that is readable, and of all that waited for a site that is away now; none when it had no
  // job.
  std::vector<Answer> take_answers(int fd);

  [[nodiscard]] Sites& sites() { return sites_; }
  [[nodiscard]] const Sites& sites() const { return sites_; }

  // Milliseconds until start_jobs should be called again, -1: not before something ends.
  [[nodiscard]] int64_t wait() const;
  // Jobs that nobody has yet.
  [[nodiscard]] size_t waiting() const { return local_.waiting() + remote_.waiting(); }
  [[nodiscard]] size_t running() const { return local_.running() + remote_.running(); }

 private:
  Sites sites_;
  Channel local_;
  Channel remote_;
};

}  // namespace postern
