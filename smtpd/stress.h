// How short of places the resident form is, told by the parent to all its sessions at once: two descriptors,
// each readable while its level holds, so that a session waits for its client and for these in one poll(2).
// They outlive the parent's exec, since sessions from before it must hear, too.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "lib/fd.h"
#include "lib/result.h"

namespace postern::smtpd {

enum class Stress : uint8_t { none, many, full };  // many: control/stresspercent; full: no place is left

// Which level holds with so many of `places` taken. A level that holds ends a tenth below where it begins:
// when it changes, all sessions wake.
Stress stress_of(Stress now, size_t taken, size_t places, size_t many_from);

class StressSign {
 public:
  StressSign() = default;  // nobody tells: always none
  // The parent's: those from before an exec where there are any, else new ones. `milliseconds`:
  // control/timeoutstress.
  static Result<StressSign> open(int64_t milliseconds);

  void say(Stress level);
  [[nodiscard]] Stress level() const;
  // Readable when the level is at least `many`, and when it is `full`; -1 for what nobody tells.
  [[nodiscard]] int descriptor(Stress level) const;
  // The next program in this process finds them by open(); undone where the exec fails.
  void keep_over_exec(bool keep) const;
  // How long a client may let us wait between two signs of progress while `level` holds:
  // control/timeoutstress, or a fifth of it when no place is left, but a second at least.
  [[nodiscard]] int64_t patience(Stress level) const;

 private:
  std::array<Fd, 2> fds_;  // many, full
  int64_t milliseconds_ = 0;
};

}  // namespace postern::smtpd
