#include "queue/back_off.h"

#include <algorithm>

#include "lib/text.h"

namespace postern {

namespace {

constexpr size_t kUnprovenConnections = 2;
constexpr int64_t kSlowMilliseconds = 200;  // never slow below this
constexpr int64_t kSlowTimes = 3;           // what the quickest quarter of the jobs take
constexpr unsigned kMostDoublings = 30;
constexpr size_t kErrorLimitBytes = 400;

// "HOST said: 421 ..." or a status of ours: the other side was not there (RFC 3463, X.4.1 to X.4.4).
bool tells_failure(const RecipientReport& report) {
  if (report.outcome != Outcome::temporary) return false;
  const std::string_view text = report.text;
  if (const size_t said = text.find(" said: "); said != std::string_view::npos)
    return text.substr(said + 7).starts_with("421");
  return text.starts_with("4.4.");
}

bool tells_nothing(const RecipientReport& report) {
  if (report.outcome == Outcome::held_back) return true;
  return report.outcome == Outcome::temporary &&
         (report.text.starts_with("4.3.") || report.text.starts_with("the delivery program"));
}

}  // namespace

std::string_view site_state_name(SiteState state) {
  switch (state) {
    case SiteState::up:
      return "up";
    case SiteState::slow:
      return "slow";
    case SiteState::probing:
      return "probing";
    default:
      return "away";
  }
}

SiteAnswer site_answer(const std::vector<RecipientReport>& reports) {
  if (reports.empty() || std::all_of(reports.begin(), reports.end(), tells_nothing))
    return SiteAnswer::unknown;
  const auto no_answer = [](const RecipientReport& report) {
    return tells_failure(report) || report.outcome == Outcome::held_back;
  };
  return std::all_of(reports.begin(), reports.end(), no_answer) ? SiteAnswer::failed : SiteAnswer::answered;
}

std::string away_text(std::string_view error) {
  return std::string(error) + " (not tried again yet: so it was with the message before)";
}

bool never_reached(const std::vector<RecipientReport>& reports) {
  return !reports.empty() && std::all_of(reports.begin(), reports.end(), [](const RecipientReport& report) {
    if (report.outcome == Outcome::held_back) return true;
    return report.outcome == Outcome::temporary &&
           (report.text.starts_with("4.4.1 ") || report.text.starts_with("4.4.3 ") ||
            report.text.starts_with("4.4.4 "));
  });
}

SiteState BackOff::state(int64_t now) const {
  if (next_attempt_ != 0) return now < next_attempt_ ? SiteState::away : SiteState::probing;
  return window_ > 0 || slow_ ? SiteState::slow : SiteState::up;
}

size_t BackOff::connections(size_t most, int64_t now) const {
  if (next_attempt_ != 0) return now < next_attempt_ ? 0 : std::min<size_t>(most, 1);
  if (window_ > 0) return std::min(most, window_);
  return proven_ ? most : std::min(most, kUnprovenConnections);
}

void BackOff::answered(int64_t took, int64_t usual, size_t most) {
  const int64_t limit = std::max(kSlowMilliseconds, kSlowTimes * usual);
  if (!proven_) {
    // One slow job says little: a segment may have been lost, or we may have been busy ourselves.
    average_ = took;
    undecided_ = took > limit;
  } else {
    average_ = undecided_ ? std::min(average_, took) : (3 * average_ + took) / 4;
    undecided_ = false;
    slow_ = average_ > limit;
  }
  proven_ = true;
  failures_ = 0;
  if (next_attempt_ != 0) {
    next_attempt_ = 0;
    window_ = 0;
  } else if (window_ > 0 && ++window_ >= most) {
    window_ = 0;
  }
}

bool BackOff::failed(int64_t now, uint64_t now_seconds, size_t running, std::string_view why,
                     const BackOffWaits& waits) {
  error_ = printable(why, kErrorLimitBytes);
  failed_at_ = now_seconds;
  // What was out when it went away says nothing new.
  if (next_attempt_ != 0 && now < next_attempt_) return false;
  const size_t had = window_ > 0 ? window_ : running + 1;
  if (next_attempt_ == 0 && proven_ && had > 1) {
    window_ = had / 2;
    return false;
  }
  const int64_t wait = std::min(waits.first << std::min(failures_, kMostDoublings), waits.longest);
  failures_ = std::min(failures_ + 1, kMostDoublings);
  next_attempt_ = now + std::max<int64_t>(1, wait);
  window_ = 0;
  return true;
}

void BackOff::lift(int64_t now, uint64_t ordered_seconds) {
  if (next_attempt_ > now && ordered_seconds >= failed_at_) next_attempt_ = now;
}

}  // namespace postern
