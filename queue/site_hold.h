// What a site may have while a limit that remote counts (limit_type=mxip) holds some of it back. send does
// not know the addresses, so it learns from what was sent back: as many jobs as ran beside that one, and bit
// by bit more, since the limit may have room again. Pure: times are milliseconds of a clock that does not
// jump.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace postern {

class SiteHold {
 public:
  // A job came back, none of it held back.
  void went() { alone_ = 0; }
  // A job came back, while `running` others were out. `wait`: until it is worth to ask again; 0: now.
  void refused(int64_t now, size_t running, int64_t wait, std::string why);
  // Jobs at once, of `most`, while `running` are out; when it may be more: next().
  [[nodiscard]] size_t allowed(size_t most, size_t running, int64_t now);
  [[nodiscard]] int64_t next(int64_t now) const { return stops(now) ? until_ : raise_at_; }
  // Nothing may go now.
  [[nodiscard]] bool stops(int64_t now) const { return now < until_; }
  // Why, while it holds anything back; else empty.
  [[nodiscard]] std::string_view why(int64_t now) const { return is_over(now) ? std::string_view() : why_; }
  void lift() { *this = SiteHold(); }

 private:
  // Nothing came back for so long: with little mail nothing else ends it.
  [[nodiscard]] bool is_over(int64_t now) const;

  unsigned alone_ = 0;    // jobs that came back in a row with none beside them
  size_t most_ = 0;       // 0: any number
  int64_t until_ = 0;     // none before
  int64_t raise_at_ = 0;  // then one may be tried beside those
  std::string why_;
};

}  // namespace postern
