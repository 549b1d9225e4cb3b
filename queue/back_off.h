// How one site answers, and how many connections it gets for that.
//
//   up       as many as control/destinations allows; two until it has answered once
//   slow     it answers, but a connection was refused, lost or ended by 421: half as many as there were, one
//            more with each answer; or it answers much more slowly than most sites
//   away     none: nothing came through; each further failure doubles the wait
//   probing  the wait is over: one
//
// An answer from a site that was away brings it back to full speed at once. Pure: the caller tells the time,
// in milliseconds of a clock that does not jump.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "queue/reports.h"

namespace postern {

enum class SiteState { up, slow, probing, away };
std::string_view site_state_name(SiteState state);

// What a job's reports say of the site, whatever they say of the recipients.
enum class SiteAnswer {
  answered,  // somebody was there
  failed,    // no connection, a lost one, no address for now, or 421; a temporary report at least says so
  unknown    // the fault was ours, or nothing was tried
};
SiteAnswer site_answer(const std::vector<RecipientReport>& reports);
// The reply of what was not tried because its site is away: what that said last.
std::string away_text(std::string_view error);
// No recipient was named to any server: nobody can have counted one.
bool never_reached(const std::vector<RecipientReport>& reports);

struct BackOffWaits {
  int64_t first = 30000;     // milliseconds
  int64_t longest = 600000;  // milliseconds
};

class BackOff {
 public:
  [[nodiscard]] SiteState state(int64_t now) const;
  // At once, of `most` that are allowed.
  [[nodiscard]] size_t connections(size_t most, int64_t now) const;
  // It has answered, in time or more than once, and is not failing.
  [[nodiscard]] bool proven() const { return proven_ && !undecided_ && window_ == 0 && next_attempt_ == 0; }
  [[nodiscard]] bool answers_slowly() const { return slow_; }

  // A job has ended; `took` milliseconds, `usual` what the quickest quarter of the jobs take, `running` how
  // many others are out.
  void answered(int64_t took, int64_t usual, size_t most);
  // True: it is away now, and was not.
  bool failed(int64_t now, uint64_t now_seconds, size_t running, std::string_view why,
              const BackOffWaits& waits);
  // Somebody has ordered, at that moment (seconds since 1970), to try at once: no later failure is known.
  void lift(int64_t now, uint64_t ordered_seconds);

  [[nodiscard]] const std::string& error() const { return error_; }     // the last one; kept when it answers
  [[nodiscard]] int64_t next_attempt() const { return next_attempt_; }  // 0: it is not away

 private:
  bool proven_ = false;
  bool slow_ = false;
  bool undecided_ = false;    // its only job was a slow one
  size_t window_ = 0;         // 0: no less than allowed
  unsigned failures_ = 0;     // in a row, since it is away
  int64_t next_attempt_ = 0;  // 0: it is not away
  int64_t average_ = 0;       // of a job, milliseconds
  uint64_t failed_at_ = 0;    // seconds since 1970
  std::string error_;
};

}  // namespace postern
