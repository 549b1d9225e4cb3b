// The sliding limit of recipients of one site: recipient_limit within recipient_minutes. A recipient counts
// from when its job is given out until that long after the job has ended, since somewhere between the two it
// was named to the server: so no window of that length holds more than the limit, wherever it begins.
//
// Ends are counted in steps of a sixtieth of the window, rounded up: at most 61 of them are kept. Pure: times
// are milliseconds of a clock that does not jump.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace postern {

class RecipientWindow {
 public:
  // How many more may be given out now.
  [[nodiscard]] size_t room(size_t limit, unsigned minutes, int64_t now);
  // When room may grow without anything ending; -1: not before something ends.
  [[nodiscard]] int64_t next_room(unsigned minutes) const;
  [[nodiscard]] size_t counted() const { return reserved_ + out_ + ended_sum_; }
  [[nodiscard]] size_t ended_sum() const { return ended_sum_; }
  [[nodiscard]] size_t out() const { return out_; }
  [[nodiscard]] bool empty() const { return reserved_ == 0 && out_ == 0 && ended_.empty(); }

  void reserve(size_t recipients) { reserved_ += recipients; }
  void unreserve(size_t recipients) { reserved_ -= recipients < reserved_ ? recipients : reserved_; }
  void begin(size_t recipients) { out_ += recipients; }
  void end(size_t recipients, unsigned minutes, int64_t now);
  void give_back(size_t recipients) { out_ -= recipients < out_ ? recipients : out_; }
  // As an earlier process noted it.
  void add_ended(size_t recipients, int64_t when);
  void clear_ended();
  // What ended by then counts no more.
  void forget(int64_t until);

  struct Ended {
    int64_t when;  // rounded up
    size_t recipients;
  };
  [[nodiscard]] const std::vector<Ended>& ended() const { return ended_; }

 private:
  size_t reserved_ = 0;
  size_t out_ = 0;
  size_t ended_sum_ = 0;
  std::vector<Ended> ended_;  // by time
};

}  // namespace postern
