// smtpd's connection to postern-rated, opened with the first question and kept for the session: its end gives
// back what the session holds. While rated is away every question stays without an answer, which is logged
// once; when it is back, what is held is registered anew.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "lib/fd.h"
#include "receipt/rate_check.h"

namespace postern {

class RatedLine {
 public:
  std::optional<RateAnswer> ask(std::span<const RateCheck> checks);

 private:
  Result<RateAnswer> ask_or_fail(std::span<const RateCheck> checks);
  Result<void> open();
  Result<RateAnswer> exchange(std::span<const RateCheck> checks);

  Fd socket_;
  std::vector<RateCheck> held_;
  int64_t silent_until_ = 0;  // a rated that hangs is not asked at each command
  bool logged_ = false;
};

}  // namespace postern
