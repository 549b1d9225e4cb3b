// The sites that remote mail goes to: what each may have now (control/destinations, back-off, limits of
// recipients), and the messages that wait for one, by number alone.
//
// A message's job is admitted, which reserves its recipients; then it waits in the channel, is started and
// ends. What cannot be admitted is parked: its message is not open, and is taken up again, first come first
// served and the sites in turn, when its site may have more.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <optional>
#include <queue>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "lib/destinations.h"
#include "lib/fd.h"
#include "queue/back_off.h"
#include "queue/lanes.h"
#include "queue/leases.h"
#include "queue/limits_file.h"
#include "queue/recipient_window.h"
#include "queue/site_status.h"

namespace postern {

class Sites {
 public:
  // `directory`: the queue's, for queue/limits, queue/leases and queue/sites.
  explicit Sites(const std::string& directory);
  Sites(const Sites&) = delete;
  Sites& operator=(const Sites&) = delete;

  // `places`: connections to all sites together.
  void configure(Destinations table, size_t places, const BackOffWaits& waits);

  enum class Admission { go, wait, away };
  struct Look {
    Admission admission = Admission::go;
    size_t recipients = 0;  // go: so many of them may go
    std::string error;      // away: what it said last
  };
  // May a job for so many recipients go? `parked`: it is one that was taken out of the line. `open`: its
  // message is open for another job's sake, so it may wait for a place of its lane.
  Look look(const std::string& site, size_t recipients, bool parked, bool open);
  // Reserves them.
  void admit(const std::string& site, size_t recipients);
  // Somebody ordered to try at once, at that moment (seconds since 1970).
  void lift(const std::string& site, uint64_t ordered_seconds);
  // Counts nothing any more, and tries all that is away: AsyncOS' delivernow for all.
  void reset();

  // False: it stands in a line already, this one or that of another of its sites.
  bool park(const std::string& site, uint64_t mid);
  // The next message whose site may have more, or is away, so that it can be put off.
  std::optional<uint64_t> take_parked();
  // Milliseconds until take_parked may have something (where there is room for it), or tick something to do;
  // -1: not before something ends.
  [[nodiscard]] int64_t wait(bool has_room) const;

  // Of an admitted job: may it go out now?
  [[nodiscard]] bool may_start(const std::string& site);
  // It is about to go: counted, and the lease must be handed on with it (empty: none is needed). A failure:
  // it cannot be counted, so it must not go.
  Result<Fd> prepare(const std::string& site, size_t recipients);
  // After prepare: it went, or could not be sent and waits still.
  void started(const std::string& site);
  void not_sent(const std::string& site, size_t recipients);
  // It waits no more: it was taken back.
  void given_back(const std::string& site, size_t recipients);
  // It has ended; true: the site is away now, so that what else waits for it should be taken back.
  bool ended(const std::string& site, int64_t took_milliseconds, const std::vector<RecipientReport>& reports);

  // Writes what is due: queue/sites, queue/limits.
  void tick();
  // The last time.
  void end();

 private:
  struct Site {
    const std::string* name = nullptr;
    BackOff back_off;
    RecipientWindow window;
    std::vector<uint64_t> parked;
    size_t parked_from = 0;  // those before are taken
    size_t waiting = 0;      // jobs
    size_t running = 0;
    Lane lane = Lane::untried;          // in which it is counted
    bool in_ring = false;               // of its lane
    std::list<Site*>::iterator turn{};  // where it stands there
    bool ghosts = true;                 // an earlier process may have jobs out
    int64_t ghosts_until = 0;           // milliseconds: then it is looked again; 0: not looked yet
    int64_t used = 0;
    [[nodiscard]] size_t parked_count() const { return parked.size() - parked_from; }
  };
  Site& get(const std::string& name);
  std::list<Site*>& ring_of(Lane lane) { return rings_.at(static_cast<size_t>(lane)); }
  [[nodiscard]] bool others_untried(const Site& site) const;
  [[nodiscard]] bool has_enough(const Site& site, int64_t now) const;
  void relane(Site& site, int64_t now);
  [[nodiscard]] size_t most(const Site& site) const;
  [[nodiscard]] bool has_place(const Site& site, int64_t now) const;
  [[nodiscard]] bool is_limited(const Site& site) const;
  [[nodiscard]] bool has_ghosts(Site& site, int64_t now);
  void ring(Site& site);
  std::optional<uint64_t> take_parked_of(Lane lane, int64_t now);
  uint64_t take_first(Site& site);
  void wake_at(Site& site, int64_t when);
  void wait_for_limit(Site& site, const Destination& destination, int64_t now);
  Look look(Site& site, size_t recipients, bool parked, bool open, int64_t now);
  void count_end(Site& site, const std::vector<RecipientReport>& reports, int64_t now);
  void load_limits();
  void rewrite_limits(bool ended);
  void forget_idle(int64_t now);
  void write_status(int64_t now);

  Destinations table_;
  Lanes lanes_;
  BackOffWaits waits_;
  std::unordered_map<std::string, Site> sites_;
  std::unordered_set<uint64_t> in_line_;        // messages that are parked
  std::array<std::list<Site*>, kLanes> rings_;  // sites with parked messages, in turn
  size_t first_ring_ = 0;                       // the one that has its turn
  struct Wake {
    int64_t when;
    std::string site;
    bool operator>(const Wake& other) const { return when > other.when; }
  };
  std::priority_queue<Wake, std::vector<Wake>, std::greater<>> wakes_;
  bool changed_ = true;   // since take_parked found nothing
  int64_t usual_ = 1000;  // what the quickest quarter of the jobs take, milliseconds, times 16
  LimitsFile limits_;
  int64_t full_since_ = -1;  // every limit counts as reached then; -1: no
  int64_t limits_at_ = 0;    // when to write it anew
  Leases leases_;
  bool ghosts_ = false;
  StatusFile status_;
  bool status_changed_ = true;
  int64_t status_at_ = 0;
  int64_t idle_at_ = 0;
};

}  // namespace postern
